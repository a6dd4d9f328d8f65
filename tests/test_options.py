"""Options: what is allowed, what is refused with words, and that every door offers the same ones."""

import json
from dataclasses import FrozenInstanceError, fields

import pytest

from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options, options_from


def test_the_defaults_are_allowed_and_survive_json():
    assert options_from(json.loads(json.dumps(Options().as_dict()))) == Options()


def test_every_option_survives_json():
    options = Options("2", 5, 90, 29.97, "cpu", "file", "path.json", "fast", None, 26.0, 35.9, 1.65, "who.json")
    assert options_from(json.loads(json.dumps(options.as_dict()))) == options


def test_options_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Options().start = 3


@pytest.mark.parametrize(
    "values",
    [
        {"people": "0"}, {"people": "-1"}, {"people": "everyone"}, {"people": ""}, {"start": -1},
        {"start": 5, "end": 4}, {"fps": 0.5}, {"fps": 241.0}, {"fps": float("nan")}, {"device": "tpu"},
        {"camera": "moving"}, {"quality": "good"}, {"focal": 0.0}, {"focal": -3.0}, {"height": 0.1}, {"height": 165.0},
        {"lens": 0.0}, {"lens": 26.0, "focal": 900.0}, {"sensor": 0.0}, {"camera_file": "a.csv"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_is_right(values):
    with pytest.raises(RecoverError) as caught:
        options_from(values)
    assert caught.value.code == "bad_option"
    assert next(iter(values)) in str(caught.value) or "end" in str(caught.value)
    assert caught.value.fix.startswith("It takes ")


@pytest.mark.parametrize(
    "values",
    [{"people": 2}, {"start": "3"}, {"start": 1.5}, {"start": True}, {"start": None}, {"fps": "30"}, {"device": None}],
    ids=str,
)
def test_a_value_of_another_type_is_refused(values):
    with pytest.raises(RecoverError) as caught:
        options_from(values)
    assert caught.value.code == "bad_option"


def test_a_whole_number_will_do_where_a_fraction_is_asked():
    assert options_from({"fps": 30, "height": 2}).fps == 30


def test_an_unknown_option_is_named_with_those_that_exist():
    with pytest.raises(RecoverError) as caught:
        options_from({"poeple": "all"})
    assert "poeple" in caught.value.message and "people" in caught.value.fix


def test_the_command_line_offers_every_option_with_its_own_words():
    from typer.testing import CliRunner

    from ghmr_engine.cli import app

    text = " ".join(CliRunner().invoke(app, ["recover", "--help"]).output.split())
    for field in fields(Options):
        assert f"--{field.name.replace('_', '-')} " in text
    assert "Height of the first person in metres" in text
    assert "auto|cpu|cuda" in text


def test_the_keys_of_the_cache_name_options_that_exist_and_leave_out_device_and_identities():
    """Identities count by what is in the file."""
    from ghmr_engine.steps import READS

    read = {name for names in READS.values() for name in names} - {"fits"}  # which follows from quality
    assert read == {field.name for field in fields(Options)} - {"device", "identities"}


@pytest.mark.parametrize("source", ["gyro", "file"])
def test_a_camera_that_is_read_needs_its_file(source):
    with pytest.raises(RecoverError, match="camera_file"):
        Options(camera=source)
    assert Options(camera=source, camera_file="a").camera == source
