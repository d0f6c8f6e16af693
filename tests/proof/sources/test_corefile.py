"""The parser takes and refuses what CoreDNS does. The verdicts in corefiles.yaml are those of the real program."""

from pathlib import Path

import pytest
import yaml

from rebirth.castle import CoreDns, Kubernetes
from rebirth.phases.made.coredns import corefile
from rebirth.proof.sources.outside.corefile.plugins import read
from rebirth.proof.sources.outside.corefile.syntax import CorefileError, blocks, tokens
from rebirth.proof.sources.outside.corefile.words import address_of, host_of

CASES = yaml.safe_load((Path(__file__).parent / "corefiles.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["corefile"][:40].replace("\n", " "))
def test_it_takes_what_coredns_takes(case):
    if case["starts"]:
        read(case["corefile"], version=(1, 14, 7), beside={})
    else:
        with pytest.raises(CorefileError):
            read(case["corefile"], version=(1, 14, 7), beside={})


def test_the_block_on_one_line_is_refused_with_its_line():
    with pytest.raises(CorefileError) as raised:
        read(".:53 {\n    errors\n    health { lameduck 5s }\n}\n")
    assert (raised.value.line, raised.value.words) == (
        3, "Wrong argument count or unexpected line ending after '}'",
    )  # fmt: skip


def test_a_host_name_to_forward_to_is_refused_by_older_versions():
    text = ".:53 {\n    forward . dns.example.org\n}\n"
    with pytest.raises(CorefileError, match="not an IP address or file"):
        read(text, version=(1, 14, 3))
    assert read(text, version=(1, 14, 4))[0].forwards[0].to == ("dns.example.org",)


def test_a_castles_own_corefile_is_taken():
    coredns = CoreDns.model_validate_json('{"image": "coredns:v1", "forwards": {"ts.net": ["10.96.0.101"]}}')
    kubernetes = Kubernetes.model_validate_json('{"version": "v1.35.4", "endpoint": "https://192.0.2.1:6443"}')
    cluster, tailnet = read(corefile(coredns, kubernetes))
    assert cluster.cluster == ["cluster.local.", "in-addr.arpa.", "ip6.arpa."]
    assert [zone.name for zone in tailnet.server.zones] == ["ts.net."]
    assert tailnet.forwards[0].to == ("10.96.0.101",)


def test_words_are_those_of_coredns():
    found = [(token.text, token.line) for token in tokens('a "b c"\n  d\\e # f\n"g\nh" i')]
    assert found == [("a", 1), ("b c", 1), ("d\\e", 2), ("g\nh", 3), ("i", 4)]


def test_snippets_and_variables_are_put_in():
    text = "(s) {\n    errors\n}\n{$ZONE}:53 {\n    import s\n}\n"
    (server,) = blocks(text, {"ZONE": "example.org"})
    assert (server.keys, list(server.plugins)) == (["example.org:53"], ["errors"])


def test_files_beside_it_are_imported():
    (meaning,) = read(
        ".:53 {\n    import *.override\n}\n", beside={"Corefile": "", "x.override": "forward . 192.0.2.1\n"}
    )
    assert meaning.forwards[0].to == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("target", "address", "host"),
    [
        ("10.0.0.1", "10.0.0.1", None),
        ("10.0.0.1:5353", "10.0.0.1", None),
        ("tls://[2001:db8::1]:853", "2001:db8::1", None),
        ("/etc/resolv.conf", None, None),
        ("dns.example.org:53", None, "dns.example.org"),
    ],
)
def test_where_a_forward_goes(target, address, host):
    assert (address_of(target), host_of(target)) == (address, host)


def test_a_corefile_that_imports_itself_ends():
    text = "(a) {\n    import b\n}\n(b) {\n    import a\n    errors\n}\n.:53 {\n    import a\n}\n"
    with pytest.raises(CorefileError, match="maximum snippet import depth"):
        read(text)
