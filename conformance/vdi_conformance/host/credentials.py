"""Under which account a host runs, where that is not the run's own (POSIX; only root can start such hosts)."""

from typing import NamedTuple


class Credentials(NamedTuple):
    """The numbers of a user, of its first group, and of its further groups; none of them needs a name."""

    user: int
    group: int
    groups: tuple[int, ...] = ()

    def numbers(self) -> list[int]:
        """Give all of them in one list, in this order."""
        return [self.user, self.group, *self.groups]

    def packed(self) -> str:
        """Give them as one word of a command line."""
        return ",".join(map(str, self.numbers()))

    def __str__(self) -> str:
        """Tell them in a sentence."""
        return f"user {self.user}, group {self.group}" + "".join(f" and {group}" for group in self.groups)
