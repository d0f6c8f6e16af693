"""YAML as kustomize reads it, within bounds."""

import time

import pytest

from rebirth.proof.reading.texts.lines import Lines
from rebirth.proof.reading.yaml_files import LARGEST, UnreadableError, parse, read
from rebirth.proof.things import Place


def value(text):
    return parse(f"a: {text}\n")[0].data["a"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True), ("False", False), ("off", "off"), ("no", "no"), ("y", "y"), ("~", None), ("", None),
        ("12", 12), ("012", 10), ("0o17", 15), ("0x1F", 31), ("1_000", 1000), ("089", 89.0), ("1e3", 1000.0), ("-.5", -0.5),
        ("12:30", "12:30"), ("2001-01-01", "2001-01-01"), ("v1", "v1"), ("'12'", "12"), ("!!str 12", "12"), ("-", "-"),
    ],
)  # fmt: skip
def test_words_mean_what_kustomize_takes_them_for(written, meant):
    if written == "-":
        assert value("'-'") == meant
    else:
        assert value(written) == meant
        assert type(value(written)) is type(meant)


def test_an_anchor_may_be_named_twice():
    text = "a: &name one\nb: *name\nc: &name two\nd: *name\n"
    assert parse(text)[0].data == {"a": "one", "b": "one", "c": "two", "d": "two"}


def test_what_is_merged_gives_way_to_what_is_written():
    text = "base: &base {a: 1, b: 2}\none: {<<: *base, b: 3}\ntwo: {b: 3, <<: [*base, {c: 4}]}\n"
    found = parse(text)[0]
    assert found.data["one"] == {"a": 1, "b": 3}
    assert found.data["two"] == {"a": 1, "b": 3, "c": 4}
    assert not found.doubles


def test_a_key_that_stands_twice_is_noted_with_its_line():
    assert parse("a: 1\nb: 2\na: 3\n")[0].doubles == (("a", 3),)


def test_keys_are_words():
    assert parse("1: a\ntrue: b\n")[0].data == {"1": "a", "true": "b"}


def test_documents_know_their_first_line():
    found = parse("# comment\n---\n\na: 1\n---\n# nothing\n---\nb: 2\n")
    assert [(document.data, document.line) for document in found] == [({"a": 1}, 4), ({"b": 2}, 8)]


def test_tags_of_other_languages_are_left_unread():
    assert parse("a: !reference [b, c]\n")[0].data["a"] == ["b", "c"]
    assert value("!Ref b") is None


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "grows without bound"),
        ("a: &a [*a]\n", "refers to an undefined anchor"),
        ("[" * 100_000, "nested too deep"),
        ("- " * 100_000, "nested too deep"),
        ("a: {" * 100_000, "nested too deep"),
        ("".join(f"{' ' * n}a:\n" for n in range(1000)), "nested too deep"),
        ("a: b\n" * 2_000_000, "grows without bound"),
        ("a: b: c\n", "is not YAML"),
        ("a:\tb\n\tc: d\n", "is not YAML"),
        ("a: \x01\n", "contains characters that YAML does not allow"),
        ("a: \x00\n", "is not text"),
        ("{[a]: b}\n", "has a key that is not a string"),
    ],
    ids=["bomb", "itself", "brackets", "dashes", "braces", "indents", "long", "colon", "tab", "control", "zero", "list-key"],
)  # fmt: skip
def test_hostile_texts_are_refused_in_no_time(text, words):
    begun = time.process_time()
    with pytest.raises(UnreadableError, match=words):
        parse(text)
    assert time.process_time() - begun < 10


def test_chains_of_aliases_do_not_go_deeper_than_nesting_may():
    text = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{x: *a{n - 1}}}\n" for n in range(1, 400))
    with pytest.raises(UnreadableError, match="through its aliases"):
        parse(text)


def test_files_that_are_no_text_or_too_large(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\x80\x00\x01" * 1000)
    (tmp_path / "large.yaml").write_bytes(b"a: b\n" * (LARGEST // 5 + 1))
    for name, words in (("binary", "is not text"), ("large", "is larger than"), ("none", "is not a file")):
        with pytest.raises(UnreadableError, match=words):
            read(tmp_path / f"{name}.yaml")


def test_utf_16_is_read_where_a_mark_says_so_as_kustomize_does(tmp_path):
    (tmp_path / "a.yaml").write_bytes("kind: Ä\r\n".encode("utf-16"))
    assert [document.data for document in read(tmp_path / "a.yaml")] == [{"kind": "Ä"}]


def test_a_message_never_quotes_the_text():
    with pytest.raises(UnreadableError) as caught:
        parse("password: 'hunter2\nother: [hunter2\n")
    assert "hunter2" not in caught.value.words


def test_lines_of_places(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("# x\nkind: A\nspec:\n  list:\n  - one\n  - {two: &x 2}\n---\nkind: B\nspec: &x {a: 1}\nmore: *x\n")
    lines = Lines()
    assert lines.line(Place(str(file), 2, ("spec", "list", 1, "two"))) == 6
    assert lines.line(Place(str(file), 2, ("spec", "none"))) == 3
    assert lines.line(Place(str(file), 8, ("spec", "a"))) == 9
    assert lines.line(Place(str(file), 8)) == 8
    assert lines.line(Place(str(tmp_path / "none"), 3, ("a",))) == 3
