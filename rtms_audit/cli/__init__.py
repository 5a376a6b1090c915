"""The command line: read options, call one workflow, render, exit."""
