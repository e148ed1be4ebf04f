"""The command line: everything an operator does. docs/commands.md lists the commands and their exit codes.

`main.py` names the commands and loads only the one that is called; `desk.py` is what each command gets (merchant, time,
answer as table or JSON); `errors.py` turns what went wrong into one sentence and an exit code.
"""
