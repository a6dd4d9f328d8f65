"""Users' files: told by what is in them, read without running anything, listed and switched by `ghmr models`."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from ghmr_engine import places
from ghmr_engine.added_models import added_models, body_path, list_path, remember, switched_on
from ghmr_engine.checkpoints import SMPL_SHAPES, load_strictly, read_state, recognise
from ghmr_engine.cli import app
from ghmr_engine.errors import RecoverError

WHAM = {
    "motion_encoder.embed_layer.weight": (512, 37),
    "trajectory_decoder.regressor.rnn.weight_ih_l0": (2252, 575),
    "motion_decoder.regressor.declayer0.weight": (144, 563),
    "integrator.layer1.weight": (1024, 1587),
}
HMR2 = {
    "backbone.pos_embed": (1, 193, 1280),
    "backbone.patch_embed.proj.weight": (1280, 3, 16, 16),
    "smpl_head.decpose.weight": (144, 1024),
    "smpl_head.init_body_pose": (1, 144),
}
VITPOSE = {
    "backbone.embeddings.position_embeddings": (1, 193, 768),
    "backbone.embeddings.patch_embeddings.projection.weight": (768, 3, 16, 16),
    "head.conv.weight": (17, 768, 3, 3),
}
HUMOR = {
    "prior_net.net.0.weight": (1024, 339),
    "encoder.net.0.weight": (1024, 678),
    "decoder.net.0.weight": (1024, 387),
    "decoder.net.9.weight": (216, 560),
}
VPOSER = {
    "encoder_net.1.weight": (63,),
    "encoder_net.8.mu.weight": (32, 512),
    "decoder_net.0.weight": (512, 32),
    "decoder_net.5.weight": (126, 512),
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A home folder of its own: nobody's list is touched."""
    monkeypatch.setenv(places.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def zeros(shapes: dict) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


def wham_file(folder: Path, name: str = "wham_vit.pth.tar") -> Path:
    path = folder / name
    torch.save({"epoch": 3, "model": zeros(WHAM), "best": np.float64(1.5)}, path)
    return path


def smpl_file(folder: Path, **other) -> Path:
    path = folder / "body.npz"
    shapes = {name: tuple(10 if size is None else size for size in shape) for name, shape in SMPL_SHAPES.items()}
    np.savez(path, **{name: np.zeros(shape, np.float32) for name, shape in {**shapes, **other}.items()})
    return path


def ghmr(*words: str):
    return CliRunner().invoke(app, ["models", *words])


def test_a_checkpoint_of_wham_is_told_by_its_content(tmp_path):
    assert recognise(wham_file(tmp_path, "renamed.bin")) == "wham"


def test_hmr2_vitpose_and_smpl_are_told(tmp_path):
    torch.save({"state_dict": zeros(HMR2)}, tmp_path / "epoch=35.ckpt")
    save_file(zeros(VITPOSE), tmp_path / "model.safetensors")
    assert recognise(tmp_path / "epoch=35.ckpt") == "hmr2"
    assert recognise(tmp_path / "model.safetensors") == "vitpose"
    assert recognise(smpl_file(tmp_path)) == "smpl"


def test_the_priors_are_told(tmp_path):
    torch.save({"model": zeros(HUMOR), "optim": {}, "min_val_loss": np.float64(1.5)}, tmp_path / "best_model.pth")
    inside = {f"vp_model.{name}": value for name, value in zeros(VPOSER).items()}
    torch.save({"state_dict": {**inside, "bm_train.f": torch.zeros(3)}}, tmp_path / "V02_05.ckpt")
    assert recognise(tmp_path / "best_model.pth") == "humor"
    assert recognise(tmp_path / "V02_05.ckpt") == "vposer"


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({**HUMOR, "decoder.net.9.weight": (207, 560)}, "HuMoR, has decoder.net.9.weight of 207 x 560, not 216 x 560"),
        ({**VPOSER, "decoder_net.0.weight": (32, 16)}, "VPoser, has decoder_net.0.weight of 32 x 16, not 512 x 32"),
        ({"bodyprior_enc_fc1.weight": (512, 63), "bodyprior_dec_out.weight": (126, 512)}, "is VPoser v1.0"),
    ],
    ids=["humor", "vposer", "vposer 1"],
)
def test_other_priors_are_one_line(tmp_path, shapes, said):
    torch.save(zeros(shapes), tmp_path / "prior.pt")
    with pytest.raises(RecoverError, match=said) as refused:
        recognise(tmp_path / "prior.pt")
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("old", [False, True], ids=["new form", "old form"])
def test_a_malicious_checkpoint_is_refused_and_not_run(tmp_path, old):
    made = tmp_path / "it_ran"

    class Bad:
        def __reduce__(self):
            return Path.touch, (made,)

    path = tmp_path / "wham.pth"
    torch.save({"model": {**zeros(WHAM), "x": Bad()}}, path, _use_new_zipfile_serialization=not old)
    with pytest.raises(RecoverError, match=r"asks for [a-z_.]*getattr; nothing of it was run") as refused:
        recognise(path)
    assert refused.value.code == "pickle_refused" and not made.exists()


def test_a_plain_malicious_pickle_is_refused_and_not_run(tmp_path):
    made = tmp_path / "it_ran"

    class Bad:
        def __reduce__(self):
            return Path.touch, (made,)

    path = tmp_path / "wham.pkl"
    path.write_bytes(pickle.dumps({"model": Bad()}))
    with pytest.raises(RecoverError):
        recognise(path)
    assert not made.exists()


def test_smpl_as_a_pickle_is_one_line_that_says_what_to_do(tmp_path):
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps({"v_template": [0.0], "kintree_table": [0]}))
    with pytest.raises(RecoverError, match="as a pickle") as refused:
        recognise(path)
    assert ".npz" in refused.value.fix


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_checkpoint_that_ends_too_early_is_one_line(tmp_path, share):
    path = wham_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(RecoverError) as refused:
        recognise(path)
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("content", [b"", b"hello", b"{}"])
def test_what_is_no_checkpoint_is_one_line(tmp_path, content):
    (tmp_path / "notes.pth").write_bytes(content)
    with pytest.raises(RecoverError):
        recognise(tmp_path / "notes.pth")


def test_another_size_of_a_known_network_is_named(tmp_path):
    shapes = {**WHAM, "integrator.layer1.weight": (1024, 2000)}
    torch.save({"model": zeros(shapes)}, tmp_path / "wham.pth")
    with pytest.raises(RecoverError, match=r"integrator.layer1.weight of 1024 x 2000, not 1024 x 1587"):
        recognise(tmp_path / "wham.pth")


def test_a_body_of_more_joints_is_named(tmp_path):
    with pytest.raises(RecoverError, match="55 joints"):
        recognise(smpl_file(tmp_path, weights=(6890, 55)))


def test_loading_is_strict():
    network = torch.nn.Linear(2, 3)
    state = {"weight": torch.ones(3, 2), "bias": torch.ones(3)}
    load_strictly(network, state, "it")
    assert torch.equal(network.bias, torch.ones(3))
    with pytest.raises(RecoverError, match="lacks bias"):
        load_strictly(network, {"weight": torch.ones(3, 2)}, "it")
    with pytest.raises(RecoverError, match=r"unexpected smpl\.faces"):
        load_strictly(network, {**state, "smpl.faces": torch.ones(1)}, "it")
    load_strictly(network, {**state, "smpl.faces": torch.ones(1)}, "it", beside=("smpl.",))


def test_what_was_added_is_listed_with_its_licence_and_comes_back_as_tensors(tmp_path):
    path = wham_file(tmp_path)
    said = ghmr("add", str(path))
    assert said.exit_code == 0, said.output
    assert "WHAM" in said.output and "research only" in said.output and "for research only" in said.output
    listed = {model["name"]: model for model in json.loads(ghmr("--json").output)["models"]}
    assert listed["wham"]["state"] == "on" and listed["wham"]["path"] == str(path)
    assert listed["lift"]["state"] == "on" and listed["lift"]["open"]
    assert listed["hmr2"]["state"] == "not added"
    assert set(read_state(Path(switched_on()["wham"].path))) == set(WHAM)


@pytest.mark.parametrize(("name", "shapes"), [("humor", HUMOR), ("vposer", VPOSER)])
def test_a_prior_is_listed_for_research_only(tmp_path, name, shapes):
    torch.save({"model": zeros(shapes)}, tmp_path / "prior.pth")
    said = ghmr("add", str(tmp_path / "prior.pth"))
    assert said.exit_code == 0 and "research only" in said.output and "prior of `--quality best`" in said.output
    listed = {model["name"]: model for model in json.loads(ghmr("--json").output)["models"]}
    assert listed[name]["state"] == "on" and not listed[name]["open"]


def test_smpl_s_body_takes_the_open_one_s_place_until_it_is_switched_off(tmp_path):
    path = smpl_file(tmp_path)
    assert "for research only" in ghmr("add", str(path)).output
    assert body_path(switched_on()) == path
    assert ghmr("off", "smpl").exit_code == 0
    assert body_path(switched_on()) == places.body_path()
    assert ghmr("on", "smpl").exit_code == 0 and body_path(switched_on()) == path


def test_a_file_that_changed_or_went_is_one_line(tmp_path):
    path = smpl_file(tmp_path)
    remember("smpl", path)
    path.write_bytes(b"x")
    with pytest.raises(RecoverError, match="not the file that was added"):
        switched_on()
    path.unlink()
    with pytest.raises(RecoverError, match="no longer there"):
        switched_on()


def test_nothing_is_added_of_what_is_refused(tmp_path):
    (tmp_path / "notes.pth").write_bytes(b"hello")
    said = ghmr("add", str(tmp_path / "notes.pth"))
    assert said.exit_code == 2 and "Traceback" not in said.output
    assert added_models() == {} and not list_path().exists()


def test_a_damaged_list_is_one_line(tmp_path):
    list_path().parent.mkdir(parents=True)
    list_path().write_text("{")
    assert ghmr().exit_code == 2


@pytest.mark.parametrize("name", ["open_body", "wham", "nothing"])
def test_what_was_not_added_cannot_be_switched(name):
    assert ghmr("off", name).exit_code == 2
