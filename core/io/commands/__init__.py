"""One module per command of `python -m core`; each has HELP, arguments(parser), run(args, say) and show(result)."""
