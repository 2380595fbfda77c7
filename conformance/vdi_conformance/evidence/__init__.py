"""The one raw record of a run, from which every report is made: JSON Lines with a header and a footer."""
