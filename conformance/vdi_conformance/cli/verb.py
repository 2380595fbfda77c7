"""How the help of a verb looks: its arguments as their metavar says, whatever typer makes of them."""

from typing import Any

from typer.core import TyperCommand


class Verb(TyperCommand):
    """A verb. The metavar of an argument tells whether it can be left out, [ID], or repeated, NEW...."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name what may stand behind the verb."""
        return ["[OPTIONS]", *(argument.metavar for argument in self._arguments(ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """List arguments and options, each with its sentence."""
        arguments = [(one.metavar, one.get_help_record(ctx)[1]) for one in self._arguments(ctx)]
        records = [one.get_help_record(ctx) for one in self.get_params(ctx) if one.param_type_name == "option"]
        for title, lines in (("Arguments", arguments), ("Options", [one for one in records if one is not None])):
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines)

    def _arguments(self, ctx: Any) -> list[Any]:
        return [one for one in self.get_params(ctx) if one.param_type_name == "argument"]
