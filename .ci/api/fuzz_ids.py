"""Writes down what there is in a demo, so that the fuzzer also meets what exists and not only 404.

    fuzz_ids.py <address of the demo> <directory for the dictionaries>
"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

url, directory = sys.argv[1], Path(sys.argv[2])


def call(path, token=None, body=None):
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    with urlopen(Request(url + path, json.dumps(body).encode() if body else None, headers), timeout=10) as answer:
        return json.load(answer)


def ids(found, key="id"):
    return [one[key] for one in found if one[key]]


token = call("/v1/tokens", body={"email": "admin@demo.test", "password": "plie-tendu-releve"})["access_token"]
# Of one studio only: a room of another one is as good as none.
studio = ids(call("/v1/studios")["studios"])[0]
known = {"studios": [studio]}
for name, path, key in (
    ("rooms", "rooms", "id"),
    ("class_types", "class-types", "id"),
    ("pass_types", "pass-types", "id"),
    ("instructors", "instructors", "id"),
    ("members", "members?q=member", "person_id"),
    ("sessions", "sessions?limit=100", "id"),
):
    known[name] = ids(call(f"/v1/studios/{studio}/{path}", token)[name], key)
rosters = [call(f"/v1/sessions/{session}/roster", token) for session in known["sessions"][:30]]
known["bookings"] = [one for roster in rosters for one in ids(roster["booked"] + roster["waitlist"], "booking_id")]
passes = [call(f"/v1/studios/{studio}/members/{member}/passes", token) for member in known["members"][:10]]
known["passes"] = [one for of_member in passes for one in ids(of_member["passes"])]

directory.mkdir(parents=True, exist_ok=True)
for name, values in known.items():
    assert values, f"the demo has no {name}"
    (directory / f"{name}.dict").write_text("".join(f'"{value}"\n' for value in values))
