"""Variables as Flux substitutes them."""

import pytest

from rebirth.proof.reading.variables import SubstitutionError, Variables


def put(text, **values):
    return Variables(values).into({"a": text})["a"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${NAME}", "web"), ("x-${NAME}-y", "x-web-y"), ("${NAME}${NAME}", "webweb"),
        ("${NONE:=other}", "other"), ("${NONE:-other}", "other"), ("${NONE=other}", "other"), ("${NAME:=other}", "web"),
        ("${NONE:=${NAME}}", "web"), ("${NONE:=a-${NAME}-b}", "a-web-b"), ("${NONE}", None), ("x${NONE}", "x"),
        ("$${NAME}", "${NAME}"), ("$$NAME", "$NAME"), ("$NAME", "$NAME"), ("$(NAME)", "$(NAME)"),
        ("${NAME^^}", "WEB"), ("${NAME^}", "Web"), ("${NAME,,}", "web"), ("${#NAME}", 3), ("x${#NAME}", "x3"),
        ("${NAME:1}", "eb"), ("${NAME:0:2}", "we"), ("${NAME/e/o}", "wob"), ("${NAME//b/p}", "wep"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_text(text, found):
    assert put(text, NAME="web") == found


@pytest.mark.parametrize("text", ["${a.b}", "${NAME-x}", "${", "${NAME", "${}", "${ NAME }", "${__file{/etc/x}}"])
def test_what_flux_refuses(text):
    with pytest.raises(SubstitutionError):
        put(text, NAME="web")


def test_without_any_variable_texts_are_left_alone():
    assert put("${a.b} ${NAME} $$") == "${a.b} ${NAME} $$"


@pytest.mark.parametrize(
    ("value", "meant"), [("3", 3), ("true", True), ("off", "off"), ("[a, b]", ["a", "b"]), ("1.2.3", "1.2.3")]
)
def test_a_value_without_quotes_is_read_as_yaml_again(value, meant):
    assert put("${NAME}", NAME=value) == meant


def test_a_value_inside_of_text_that_needs_quotes_stays_text():
    assert put("a: ${NAME}", NAME="3") == "a: 3"
    assert put("one\n${NAME}\n", NAME="3") == "one\n3\n"


def test_what_nobody_provides_is_noted_where_it_stands():
    variables = Variables({"A": "b"})
    variables.into({"spec": {"list": ["${A}", "${NONE}/${OTHER:=x}"]}})
    assert variables.undefined == {("spec", "list", 1): ["NONE"]}


def test_hidden_values_stay_as_they_are_written():
    variables = Variables({"A": "b"}, frozenset({"PASSWORD"}))
    assert variables.into({"a": "${A}-${PASSWORD}"})["a"] == "b-${PASSWORD}"
    assert not variables.undefined


def test_where_not_all_is_known_nothing_is_called_undefined():
    variables = Variables({"A": "b"}, whole=False)
    assert variables.into({"a": "${A}-${B}"})["a"] == "b-${B}"
    assert not variables.undefined


def test_nesting_has_an_end():
    with pytest.raises(SubstitutionError):
        put("${A:=" * 1000, B="c")


def test_a_text_of_which_a_part_is_not_known_is_left_alone():
    variables = Variables({"LIST": "[\n  {name: a},\n]\n"}, whole=False)
    found = variables.into({"list": "${q:='}${LIST}${q:='}"})
    assert found == {"list": "${q:='}[\n  {name: a},\n]\n${q:='}"}
