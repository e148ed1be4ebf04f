"""The seller: merchants, their shops on platforms and their stores on streets, staff and roles.

Words: a *merchant* is one business with one member archive and one charter; a *store* is a place (street shop or online shop)
an order belongs to; a *post* is a store somebody works at; an account is *closed*, never deleted. Invariants: an open shop keeps
an owner, nobody changes their own rights; every row of every other room names its merchant; nothing ever crosses merchants.
"""
