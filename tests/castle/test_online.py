"""What online may mean."""

import pytest

NAMED = {"namespace": "network", "name": "external"}


@pytest.mark.parametrize("choice", ["gateway", "service", "tunnel", "workload", "kustomization"])
def test_one_of_several(draft, choice):
    draft["online"] = {choice: NAMED}
    online = draft.load().online
    assert online.choice == choice
    assert bool(online.entrance) == (choice in {"gateway", "service"})
    assert bool(online.awaited) == (choice not in {"gateway", "service"})


def test_nothing(draft):
    del draft["online"]
    assert draft.load().sites == []


@pytest.mark.parametrize(
    ("online", "path", "said"),
    [
        ({}, "online", "needs one of ingress, gateway, service, tunnel, workload, kustomization"),
        ({"gateway": NAMED, "tunnel": {**NAMED}}, "online.tunnel", "gateway and tunnel exclude each other"),
        ({"workload": NAMED, "sites": [{"host": "a.example"}]}, "online.sites[0]", "needs an `address`"),
        ({"tunel": NAMED}, "online.tunel", "unknown key; did you mean tunnel?"),
        ({"workload": {**NAMED, "kind": "Pod"}}, "online.workload.kind", "Deployment"),
    ],
)
def test_what_is_no_choice(draft, online, path, said):
    draft["online"] = online
    found = draft.refused()
    assert [problem.path for problem in found] == [path]
    assert said in found[0].message
