"""CelebA in the layout of its authors: splits, the crop of 148 pixels, attributes as labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from divmin.data import Labelled, load
from divmin.errors import DivminError

SPLITS = "000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n000005.jpg 0\n"
ATTRIBUTES = "5\nMale Smiling \n" + "".join(
    f"00000{i}.jpg {'  1' if i % 2 else ' -1'} {' -1' if i < 4 else '  1'}\n" for i in range(1, 6)
)


def face(seed: int, width: int = 178, height: int = 218) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (14, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "img_align_celeba").mkdir()
    for i in range(1, 6):
        face(i).save(tmp_path / "img_align_celeba" / f"00000{i}.jpg")
    (tmp_path / "list_eval_partition.txt").write_text(SPLITS)
    (tmp_path / "list_attr_celeba.txt").write_text(ATTRIBUTES)
    return tmp_path


def test_the_middle_148_pixels_at_64(root: Path) -> None:
    source = load(f"celeba:{root}:valid")
    assert (source.name, source.shape, source.size) == (f"celeba:{root}:valid", (3, 64, 64), 1)
    with Image.open(root / "img_align_celeba" / "000003.jpg") as picture:
        middle = picture.crop((15, 35, 163, 183)).resize((64, 64), Image.Resampling.LANCZOS)
    expected = torch.from_numpy(np.array(middle).transpose(2, 0, 1).astype(np.float32)) / 127.5 - 1
    assert torch.equal(source.batch(torch.tensor([0]))[0], expected)
    assert load(f"celeba:{root}:valid", image_size=148, channels=1).shape == (1, 148, 148)


def test_splits(root: Path) -> None:
    sizes = [load(f"celeba:{root}{split}").size for split in ("", ":train", ":valid", ":test", ":all")]
    assert sizes == [3, 3, 1, 1, 5]
    everything, train = load(f"celeba:{root}:all", image_size=8), load(f"celeba:{root}", image_size=8)
    assert torch.equal(train.batch(torch.arange(3)), everything.batch(torch.tensor([0, 1, 4])))
    (root / "list_eval_partition.txt").unlink()
    assert load(f"celeba:{root}").size == 5
    with pytest.raises(DivminError, match=r"has no list_eval_partition\.txt, which tells what is in train"):
        load(f"celeba:{root}:train")


def test_the_folders_of_the_authors(root: Path) -> None:
    for name, folder in (
        ("list_eval_partition.txt", "Eval"),
        ("list_attr_celeba.txt", "Anno"),
        ("img_align_celeba", "Img"),
    ):
        (root / folder).mkdir()
        (root / name).rename(root / folder / name)
    assert load(f"celeba:{root}:test:Smiling").size == 1


def test_attributes_are_labels(root: Path) -> None:
    male, smiling, plain = (load(f"celeba:{root}{more}") for more in (":train:Male", ":all:Smiling", ""))
    assert isinstance(male, Labelled) and isinstance(smiling, Labelled) and isinstance(plain, Labelled)
    assert male.labels_of(torch.arange(3)).tolist() == [1, 0, 1]
    assert smiling.labels_of(torch.arange(5)).tolist() == [0, 0, 0, 1, 1]
    assert (male.classes, plain.classes) == (2, None)
    with pytest.raises(DivminError, match="no attribute 'Smilling': did you mean Smiling"):
        load(f"celeba:{root}:train:Smilling")
    (root / "list_attr_celeba.txt").write_text(ATTRIBUTES.replace("000002.jpg", "000009.jpg"))
    with pytest.raises(DivminError, match=r"says nothing of 1 pictures, the first is 000002\.jpg"):
        load(f"celeba:{root}:train:Male")
    (root / "list_attr_celeba.txt").unlink()
    with pytest.raises(DivminError, match=r"has no list_attr_celeba\.txt, which tells who is Male"):
        load(f"celeba:{root}:train:Male")


def test_what_is_missing_is_named(root: Path) -> None:
    (root / "img_align_celeba" / "000002.jpg").unlink()
    for corrupt in ("fatal", "skip"):  # half of an archive is not a corrupt picture
        with pytest.raises(DivminError, match=r"lacks 1 of 3 pictures that .* names, the first is 000002\.jpg"):
            load(f"celeba:{root}", corrupt=corrupt)
    face(0, 178, 120).save(root / "img_align_celeba" / "000002.jpg")
    with pytest.raises(DivminError, match=r"000002\.jpg is 178x120 pixels: expected at least 148"):
        load(f"celeba:{root}")
    for spec, says in (
        (f"celeba:{root}:vlaid", "no split 'vlaid': did you mean valid"),
        (f"celeba:{root}/none", "no folder .*none: expected one that has img_align_celeba"),
        (f"celeba:{root}/img_align_celeba", "has no folder img_align_celeba"),
        ("celeba:", "needs a folder"),
        ("celeba", "needs a folder"),
    ):
        with pytest.raises(DivminError, match=says):
            load(spec)
    for path in (root / "img_align_celeba").iterdir():
        path.unlink()
    with pytest.raises(DivminError, match="no pictures of CelebA's split all"):
        load(f"celeba:{root}:all")
