"""How the fuzzer signs in: as one person, and no faster than it may. What it tries signs that person out nowhere: each sign-out gets the
token of somebody else, who is needed for nothing more."""

import itertools
import os
import time

import requests
import schemathesis

TRIES_MAX = 20
# Members of the demo whom no fuzzer speaks for.
NOBODY = itertools.cycle(f"member{n}@demo.test" for n in range(10, 61))


def token_of(email):
    who = {"email": email, "password": "plie-tendu-releve"}
    for _ in range(TRIES_MAX):
        answer = requests.post(f"{os.environ['RELEVE_URL']}/v1/tokens", json=who, timeout=10)
        if answer.status_code != 429:
            break
        # Whoever guesses passwords and codes in vain is slowed down, and so is everybody at the same address.
        time.sleep(int(answer.headers["Retry-After"]))
    answer.raise_for_status()
    return answer.json()["access_token"]


@schemathesis.auth(refresh_interval=600)
class SignIn:
    def get(self, case, context):
        return token_of(os.environ["RELEVE_EMAIL"])

    def set(self, case, token, context):
        if (case.method.upper(), case.operation.path) == ("DELETE", "/v1/tokens"):
            token = token_of(next(NOBODY))
        case.headers["Authorization"] = f"Bearer {token}"
