"""Integration tests with the standard library alone, for unittest and pytest.

    acalocal run ../orders --env-vars MODE=test -- python3 -m unittest -v
"""

import json
import os
import unittest
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("ACALOCAL_URL", "")
API = os.environ.get("ACALOCAL_API", "")
TOKEN = os.environ.get("ACALOCAL_TOKEN", "")


def call(url, body=None, **headers):
    """One call; a body makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def acalocal(path, body=None, **query):
    """A call of acalocal's own API; /acalocal/v1/openapi.json describes it."""
    url = f"{API}/acalocal/v1/{path}?{urllib.parse.urlencode(query)}"
    return call(url, body, Authorization=f"Bearer {TOKEN}")


def logs(query):
    """The rows of a KQL query as dictionaries."""
    table = acalocal("query", {"query": query})["tables"][0]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row)) for row in table["rows"]]


@unittest.skipUnless(URL, "run it with: acalocal run ../orders -- python3 -m unittest")
class OrdersTest(unittest.TestCase):
    def test_variables_of_this_run(self):
        self.assertEqual(call(URL)["mode"], "test")
        self.assertEqual(os.environ["ACALOCAL_ORDERS_URL"], URL)

    def test_order_is_logged(self):
        self.assertEqual(call(f"{URL}/orders", {"id": 17}), {"id": 17})
        query = 'ContainerAppConsoleLogs_CL | where Log_s has "17" | project id = toint(parse_json(Log_s).id)'
        acalocal("wait", **{"for": "log", "query": query, "timeout": "30s"})
        self.assertEqual(logs(query), [{"id": 17}])

    def test_nothing_is_wrong(self):
        verdict = acalocal("explain")
        self.assertFalse(verdict["wrong"], verdict)

    def test_cut_link_is_healed_by_the_edge(self):
        fault = acalocal("faults/add", {"kind": "cut-link", "times": 2, "request": {"path": "/health"}})
        try:
            self.assertEqual(call(f"{URL}/health"), {"status": "ok"})
            faults = {f["name"]: f for f in acalocal("faults")["value"]}
            self.assertEqual(faults[fault["name"]]["count"], 2)
        finally:
            acalocal("faults/remove", {}, name=fault["name"])


if __name__ == "__main__":
    unittest.main()
