"""How the fuzzer signs in: as one person, again after each sign-out that it tries, and no faster than it may."""

import os
import time

import requests
import schemathesis

TRIES_MAX = 20


@schemathesis.auth(refresh_interval=600)
class SignIn:
    def get(self, case, context):
        base = os.environ["RELEVE_URL"]
        who = {"email": os.environ["RELEVE_EMAIL"], "password": "plie-tendu-releve"}
        for _ in range(TRIES_MAX):
            answer = requests.post(f"{base}/v1/tokens", json=who, timeout=10)
            if answer.status_code != 429:
                break
            # Whoever guesses passwords and codes in vain is slowed down, and so is everybody at the same address.
            time.sleep(int(answer.headers["Retry-After"]))
        answer.raise_for_status()
        return answer.json()["access_token"]

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"
