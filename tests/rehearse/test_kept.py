"""The answer of the very same rehearsal is kept."""

from pathlib import Path

from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.proof.things import Place
from rebirth.rehearse import kept
from rebirth.rehearse.result import OnPaper, Rehearsed, Stop
from trees import change, lay

APPS = ("Kustomization", "flux-system", "apps")
STOP = Stop(
    Cause(APPS, "refused", Outlook.FINAL), Place("/x/apps.yaml", 3, ("spec", "containers", 0)), (APPS,), "a hint"
)
DONE = Rehearsed(
    cluster="clusters/x", seconds=9.5, times=((("HelmRelease", "a", "b"), 3.25),), waiting=(APPS,), suspended=(), stops=(STOP,),
    memory=2**29, steps=(("watch", 1.0, 2.0),), started=1.5, on_paper=(OnPaper("chart x", "nothing"),),
)  # fmt: skip


def test_an_answer_comes_back_as_it_was(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("REBIRTH_CACHE", str(tmp_path))
    kept.keep("abc", DONE)
    assert kept.earlier("abc") == DONE
    assert kept.earlier("other") is None
    (tmp_path / "rehearsals/abc.json").write_text("{}")
    assert kept.earlier("abc") is None


def test_only_the_last_answers_are_kept(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("REBIRTH_CACHE", str(tmp_path))
    for number in range(25):
        kept.keep(f"{number:03}", DONE)
    assert len(list((tmp_path / "rehearsals").iterdir())) == 20
    assert kept.earlier("024") == DONE


def test_every_change_is_another_rehearsal(tmp_path: Path):
    tree = lay(tmp_path / "tree", apps="")

    def digest(programs=(("etcd", "/bin/etcd-1"),), *more):
        return kept.digest_of([tree], tmp_path / "fetched", dict(programs), more)

    first = digest()
    (tree / ".git").mkdir()
    (tree / ".git/index").write_text("x")
    assert digest() == first
    assert digest(programs=(("etcd", "/bin/etcd-2"),)) != first
    assert digest((("etcd", "/bin/etcd-1"),), "clusters/y") != first
    (tmp_path / "fetched/records").mkdir(parents=True)
    (tmp_path / "fetched/records/x.json").write_text("{}")
    fetched = digest()
    assert fetched != first
    change(tree, "apps/settings.yaml", "name: apps", "name: other")
    assert digest() != fetched
