"""The counter screen: who stands here, what they have, and handing it over in two touches. Thin: every deed is one action.

It shares the console's looks (its templates and tags) and nothing else with it.
"""
