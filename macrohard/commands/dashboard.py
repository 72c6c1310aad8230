"""`macrohard dashboard`: a factory on a live page."""

from typing import Annotated

import typer

from macrohard.commands.arguments import ScenarioArgument, SetOption


def dashboard(
    scenario: ScenarioArgument = "laptop",
    set_: SetOption = None,
    port: Annotated[int, typer.Option(help="The port; 0 takes any free one.")] = 8765,
    address: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let --address be one that others reach; needs a token.")
    ] = False,
    token: Annotated[
        str | None,
        typer.Option(envvar="MACROHARD_TOKEN", help="Whoever opens the page must bring it.", show_envvar=True),
    ] = None,
) -> None:
    """Open a factory on a live page: turn its knobs, run it, and compare runs. Needs the extra `viz`."""
    from importlib.util import find_spec

    from macrohard.faults import Fault, ScenarioError
    from macrohard.guard import say, stoppable
    from macrohard.scenario import Scenario

    missing = [name for name in ("solara", "solara_assets", "ipyvuetify", "uvicorn") if find_spec(name) is None]
    if missing:
        remedy = "pip install 'macrohard[viz]'"
        raise ScenarioError([Fault("", f"{missing[0]}: is not installed", None, "the page needs it", remedy, False)])
    chosen = Scenario.load(scenario, set_ or [])
    with stoppable():
        from macrohard.blueprint import draw
        from macrohard.dashboard.serve import check, serve

        check(address, port, allow_remote, token)
        draw(chosen)  # what cannot be laid out is refused here, not on the page
        if allow_remote and token is not None and address not in ("127.0.0.1", "::1", "localhost"):
            say("token and page cross the network unencrypted; a tunnel (ssh -L) or a TLS proxy would hide them")
        serve(chosen, address, port, token, lambda url: print(f"{chosen.name}: {url}  (Ctrl-C ends it)", flush=True))
