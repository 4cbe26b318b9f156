-- What a person says of themselves, their address and number, is given to a studio when they come to it by themselves: they join, book or
-- accept an invitation. Until then the studio reads what it wrote down. NULL: they have not come.
ALTER TABLE members ADD COLUMN given_at TIMESTAMPTZ;
-- Whether it wrote down the address that they have: one that was changed since is not told.
ALTER TABLE members ADD COLUMN knows_address BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE members SET given_at = joined_at
    WHERE EXISTS (SELECT 1 FROM bookings b WHERE b.person_id = members.person_id AND b.studio_id = members.studio_id AND b.asked_by = b.person_id)
    OR EXISTS (SELECT 1 FROM invitations i WHERE i.accepted_by = members.person_id AND i.studio_id = members.studio_id)
    OR EXISTS (SELECT 1 FROM events e WHERE e.subject_id = members.person_id AND e.studio_id = members.studio_id AND e.action = 'member.joined')
    OR NOT EXISTS (SELECT 1 FROM events e WHERE e.subject_id = members.person_id AND e.studio_id = members.studio_id
        AND e.action IN ('member.entered', 'member.linked'));

-- Which draft of another studio keeps an instructor busy is not this studio's to know.
UPDATE series_gaps SET other_session_id = NULL
    WHERE EXISTS (SELECT 1 FROM sessions s JOIN series r ON r.id = series_gaps.series_id
        WHERE s.id = series_gaps.other_session_id AND s.studio_id <> r.studio_id AND (s.status = 'draft' OR s.was_draft));

-- What belongs to somebody who is deleted is found by these: letters to an address that was nobody's yet, and what a sale was remembered by.
CREATE INDEX letters_of_nobody ON letters (id) WHERE person_id IS NULL AND to_email IS NOT NULL;
CREATE INDEX idempotency_keys_result ON idempotency_keys (result_id);
