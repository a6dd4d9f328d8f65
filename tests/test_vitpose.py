"""ViTPose: crops, heat maps and pixels; and, where `transformers` is installed, its network with random numbers."""

from __future__ import annotations

import builtins
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ghmr_engine.checkpoints import read_state, recognise
from ghmr_engine.crops import carry, cut_out
from ghmr_engine.errors import RecoverError
from ghmr_engine.people import vitpose
from ghmr_engine.people.vitpose import PACKAGE, crop_of, find_keypoints, load_vitpose, look_at, peaks
from ghmr_engine.types import Track

SIZES = {
    "backbone.embeddings.position_embeddings": (1, 193, 384),
    "backbone.encoder.layer.0.mlp.fc1.weight": (1536, 384),
    "backbone.encoder.layer.0.mlp.fc2.weight": (384, 1536),
    "head.conv.weight": (17, 384, 3, 3),
}


def heat_at(places: np.ndarray, sigma: float = 2.0) -> torch.Tensor:
    """Heat maps (N, 17, 64, 48) with peaks of height 0.8 at places (N, 17, 2) in their pixels."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    at = torch.as_tensor(places, dtype=torch.float32)[..., None, None]
    return 0.8 * torch.exp(-((x - at[:, :, 0]) ** 2 + (y - at[:, :, 1]) ** 2) / (2 * sigma**2))


class Seeing(torch.nn.Module):
    """In place of the network: a peak where the crop is brightest."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, pixels, dataset_index):
        bright = pixels.mean(1).clamp(min=0)
        y, x = torch.meshgrid(torch.arange(256.0), torch.arange(192.0), indexing="ij")
        total = bright.sum((1, 2))
        at = torch.stack([(bright * x).sum((1, 2)) / total * 47 / 191, (bright * y).sum((1, 2)) / total * 63 / 255], -1)
        return SimpleNamespace(heatmaps=heat_at(at[:, None].expand(-1, 17, 2).numpy()))


def spot(x: float, y: float) -> np.ndarray:
    """A black picture (480, 640, 3) with a soft white spot."""
    rows, columns = np.mgrid[:480, :640]
    light = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 6.0**2))
    return np.repeat(light.astype(np.uint8)[..., None], 3, -1)


def test_peaks_are_found_between_the_pixels():
    places = np.random.default_rng(0).uniform(6, 41, (3, 17, 2))
    found = peaks(heat_at(places))
    assert np.abs(found[..., 0].numpy() - places[..., 0] * 191 / 47).max() < 0.01
    assert np.abs(found[..., 1].numpy() - places[..., 1] * 255 / 63).max() < 0.01
    assert found[..., 2].min() > 0.7 and found[..., 2].max() <= 0.8


def test_the_first_and_the_last_pixel_of_a_heat_map_are_those_of_the_crop():
    ends = np.zeros((1, 17, 2))
    ends[0, 1:] = [47, 63]
    found = peaks(heat_at(ends, sigma=0.3))[0, :2, :2]
    assert (found - torch.tensor([[0.0, 0.0], [191.0, 255.0]])).abs().max() < 4


def test_a_flat_heat_map_is_no_number_out_of_bounds():
    found = peaks(torch.zeros(1, 17, 64, 48))
    assert torch.isfinite(found).all() and (found[..., 2] == 0).all()


@pytest.mark.parametrize("box", [(100, 50, 160, 300), (20, 200, 400, 260)])
def test_a_crop_has_the_whole_box_and_a_quarter_more(box):
    box = np.array(box, float)
    affine = crop_of(box)
    corners = carry(affine, np.array([[-0.5, -0.5], [191.5, 255.5]]))
    assert (corners[0] <= box[:2]).all() and (corners[1] >= box[2:]).all()
    size = corners[1] - corners[0]
    assert size[0] / size[1] == pytest.approx(0.75)
    assert max(size / (box[2:] - box[:2])) >= 1.25 - 1e-9 and min(size / (box[2:] - box[:2])) == pytest.approx(1.25)
    np.testing.assert_allclose(corners.mean(0), (box[:2] + box[2:]) / 2)


@pytest.mark.parametrize("side", [60, 190, 420])
def test_what_is_seen_in_a_crop_comes_back_to_its_pixel(side):
    x, y = 303.3, 221.8
    affine = crop_of(np.array([x - 0.3 * side, y - 0.4 * side, x + 0.45 * side, y + 0.6 * side]))
    crop = cut_out(spot(x, y), affine, (192, 256))
    # Only what is brighter than the network's mean is counted, which lies symmetrically about the spot.
    found = look_at(crop[None], affine[None], Seeing())
    assert np.abs(found[0, :, :2] - [x, y]).max() < 0.03
    assert found[0, :, 2] == pytest.approx(0.79, abs=0.05)


def test_every_frame_of_every_track_gets_its_own_keypoints(monkeypatch):
    monkeypatch.setattr(vitpose, "_AT_ONCE", 4)
    where = [(200 + 10.0 * frame, 200 + 5.0 * frame) for frame in range(7)]
    video = SimpleNamespace(frames=lambda: (spot(*at) for at in where), info=SimpleNamespace(frames=7))

    def track(number, frames):
        boxes = np.array([[x - 60, y - 80, x + 60, y + 80] for x, y in (where[frame] for frame in frames)])
        none = np.zeros((len(frames), 33, 3))
        return Track(number, np.array(frames), boxes, none, none, np.ones(len(frames), bool))

    said = []
    found = find_keypoints(video, [track(1, range(7)), track(2, [2, 3, 6])], Seeing(), said.append)
    assert [len(each) for each in found] == [7, 3] and said[-1] == 1.0 and len(said) == 7
    assert np.abs(found[0][:, 0, :2] - where).max() < 0.05
    assert np.abs(found[1][:, 0, :2] - [where[frame] for frame in (2, 3, 6)]).max() < 0.05


def test_without_transformers_one_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "transformers":
            raise ImportError("No module named 'transformers'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RecoverError) as raised:
        load_vitpose({}, "cpu")
    assert raised.value.code == "no_transformers" and f"pip install {PACKAGE}" in raised.value.fix
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    assert f'"{PACKAGE}"' in project.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"backbone.embeddings.position_embeddings": (1, 193, 100)}, "100 numbers wide"),
        ({"head.conv.weight": (133, 384, 3, 3)}, "133 keypoints"),
        ({"head.conv.weight": None}, r"lacks head\.conv\.weight"),
    ],
)
def test_another_network_s_checkpoint_is_one_line(other, said):
    state = {name: torch.empty(shape) for name, shape in {**SIZES, **other}.items() if shape is not None}
    with pytest.raises(RecoverError, match=said):
        vitpose._size(state)


@pytest.mark.parametrize("kind", ["simple", "classic", "experts"])
def test_a_checkpoint_that_transformers_wrote_gives_its_keypoints(tmp_path, kind):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    more = {"num_experts": 3, "part_features": 96} if kind == "experts" else {}
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=384, num_hidden_layers=2, num_attention_heads=12, out_indices=[2], **more
    )
    config = transformers.VitPoseConfig(
        backbone_config=backbone, num_labels=17, use_simple_decoder=kind == "simple", initializer_range=0.2
    )
    theirs = transformers.VitPoseForPoseEstimation(config).eval()
    theirs.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    assert recognise(file) == "vitpose"
    ours = load_vitpose(read_state(file), "cpu")
    pixels, first = torch.randn(2, 3, 256, 192), torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        want = theirs(pixels, dataset_index=first).heatmaps
        torch.testing.assert_close(ours(pixels, dataset_index=first).heatmaps, want)
    crops = np.random.default_rng(0).integers(0, 256, (3, 256, 192, 3), np.uint8)
    affine = crop_of(np.array([10.0, 20, 110, 220]))
    together = look_at(crops, np.stack([affine] * 3), ours)
    assert together.shape == (3, 17, 3) and np.isfinite(together).all()
    np.testing.assert_allclose(together[1:2], look_at(crops[1:2], affine[None], ours), atol=1e-2)
    with pytest.raises(RecoverError, match="lacks"):
        load_vitpose({name: value for name, value in read_state(file).items() if name != "head.conv.bias"}, "cpu")
