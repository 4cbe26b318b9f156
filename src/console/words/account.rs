//! What the page of one's own account says: the second factor and the devices.

in_words! {
    second_factor "Second factor", "两步验证", "兩步驟驗證";
    second_factor_why "Besides the password, a code that only your phone shows. Nobody who learns the password comes in by it alone.", "除密码外，还需输入手机上显示的验证码。即使密码泄露，他人也无法登录。", "除密碼外，還需輸入手機上顯示的驗證碼。即使密碼外洩，他人也無法登入。";
    no_factor "None yet.", "尚未启用。", "尚未啟用。";
    factor_asked "Your role asks for one.", "您的角色需要启用两步验证。", "您的角色需要啟用兩步驟驗證。";
    totp "Authenticator app", "身份验证器App", "驗證器App";
    passkey "Passkey", "通行密钥", "通行密鑰";
    added_at "added", "添加于", "新增於";
    last_used "last used", "最近使用", "最近使用";
    add_totp "Set up an authenticator app", "设置身份验证器App", "設定驗證器App";
    add_passkey "Add a passkey", "添加通行密钥", "新增通行密鑰";
    add_passkey_why "Your phone, your computer or a security key vouches for you, by your face, your finger or its own code.", "由您的手机、电脑或安全密钥，通过面容、指纹或其自身的密码证明您的身份。", "由您的手機、電腦或安全金鑰，以臉孔、指紋或其自身的密碼證明您的身分。";
    passkey_asks "Your browser asks where the passkey is to be kept.", "浏览器将询问通行密钥的保存位置。", "瀏覽器將詢問通行密鑰的儲存位置。";
    make_passkey "Make the passkey", "创建通行密钥", "建立通行密鑰";
    no_passkeys_here "This browser cannot make passkeys. Use another one, or an authenticator app.", "此浏览器无法创建通行密钥，请换用其他浏览器或身份验证器App。", "此瀏覽器無法建立通行密鑰，請改用其他瀏覽器或驗證器App。";
    passkey_instead "Show a passkey instead", "改用通行密钥", "改用通行密鑰";
    what_called "What it shall be called", "名称", "名稱";
    what_called_hint "Such as the phone that it is on. May be left empty.", "例如所在的手机，可留空。", "例如所在的手機，可留空。";
    password "Your password", "您的密码", "您的密碼";
    code_or_recovery "A code that you have now: of the app, or a recovery code", "当前的验证码或恢复码", "目前的驗證碼或復原碼";
    go_on "Go on", "继续", "繼續";
    scan "Scan this with the app", "请用App扫描", "請用App掃描";
    scan_why "Any authenticator app will do. On the phone itself, or without a camera, type the key instead.", "可使用任意身份验证器App。若在手机上操作或没有摄像头，请输入密钥。", "可使用任意驗證器App。若在手機上操作或沒有相機，請輸入金鑰。";
    secret "The key to type", "密钥", "金鑰";
    first_code "The code that the app shows now", "App当前显示的验证码", "App目前顯示的驗證碼";
    confirm "Switch it on", "启用", "啟用";
    confirm_until "Within 15 minutes; then begin again.", "请在15分钟内完成，否则需重新开始。", "請在15分鐘內完成，否則需重新開始。";
    other_devices_end "With the first factor all your other devices are signed out.", "首次启用后，您的其他设备将退出登录。", "首次啟用後，您的其他裝置將登出。";
    is_on "It is on", "已启用", "已啟用";
    recovery_codes "Recovery codes", "恢复码", "復原碼";
    recovery_codes_why "For the day on which the phone is lost. Each is good for once. They are shown this once: print them, or write them down.", "供手机遗失时使用，每个仅可使用一次。仅显示这一次，请打印或抄写保存。", "供手機遺失時使用，每個僅可使用一次。僅顯示這一次，請列印或抄寫保存。";
    recovery_left "Recovery codes left:", "剩余恢复码：", "剩餘復原碼：";
    kept "I have kept them", "我已保存", "我已保存";
    renew_codes "New recovery codes", "重新生成恢复码", "重新產生復原碼";
    renew_codes_why "Those before count no more.", "之前的恢复码将失效。", "先前的復原碼將失效。";
    turn_off "Take it away", "移除", "移除";
    turn_off_why "With the last one the recovery codes go too.", "移除最后一个后，恢复码也会失效。", "移除最後一個後，復原碼也會失效。";
    devices "Where you are signed in", "已登录的设备", "已登入的裝置";
    this_device "this one", "当前设备", "目前裝置";
    end_device "Sign out", "退出登录", "登出";
}
