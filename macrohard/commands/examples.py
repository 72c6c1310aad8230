"""Examples of every command, shown below its --help."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "run laptop",
        "run --set cluster.n_gpus=55000 --hours 24 --out runs/half",
        "run mine.toml --json --fail-on 'power.unserved_mwh>0'",
        "run cloud-1000 --uncertain --replicates 40",
    ),
    "scenarios": ("scenarios", "scenarios --json"),
    "init": (
        "init mine.toml --from-questions",
        "init mine.toml --from colocation-10mw --set cluster.n_gpus=4000",
    ),
    "check": ("check mine.toml --explain", "check laptop --set cluster.gpu=B200"),
    "schema": ("schema", "schema --markdown"),
    "doctor": ("doctor", "doctor --json"),
    "show": ("show runs/half", "show runs/half --column soc --column load_mw"),
    "report": ("report runs/half --out board.html",),
    "converge": ("converge laptop",),
    "validate": ("validate", "validate --points mine.csv --json"),
    "trace": ("trace azure-code-2023 laptop", "trace requests.csv server --out runs/trace"),
    "fit-roles": ("fit-roles attempts.csv --out habits.toml",),
    "headlines": ("headlines",),
    "build-out": ("build-out colossus2-phase1",),
    "swings": ("swings --set training.share=0.5 --out swings.html",),
    "reliability": ("reliability colossus2-phase1 --set power.megapack.n_units=0",),
    "dashboard": ("dashboard laptop",),
    "size": ("size colocation-10mw --vary power.megapack.n_units=0:20 --until 'power.capped_mwh<=1'",),
    "sensitivity": ("sensitivity experiments/megapack_sizing.toml",),
    "compare": ("compare sweeps/megapacks#0 sweeps/megapacks#3",),
    "replay": ("replay 1f0c9a --in sweeps/megapacks",),
    "export": ("export sweeps/megapacks table.csv",),
    "map": ("map sweeps/megapacks power.megapack.n_units power.grid_mw",),
    "frontier": ("frontier sweeps/megapacks power.megapack.n_units power.grid_mw --hold 'power.capped_mwh<=0'",),
    "sweep plan": ("sweep plan experiments/megapack_sizing.toml",),
    "sweep run": ("sweep run experiments/megapack_sizing.toml --out sweeps/megapacks --jobs 2",),
    "sweep status": ("sweep status experiments/megapack_sizing.toml --out sweeps/megapacks",),
    "sweep merge": ("sweep merge experiments/megapack_sizing.toml --out sweeps/megapacks",),
}
"""By command, without the name of the program before it."""


def epilog(command: str) -> str | None:
    """The examples as they stand below --help: a paragraph each, so that no line is joined to another."""
    found = [f"  macrohard {line}" for line in EXAMPLES.get(command, ())]
    return "\n\n".join(["Examples:", *found]) if found else None
