"""The seller: merchants, their shops on platforms and their stores on streets, staff and roles.

Words: a *merchant* is one business with one member archive and one charter; a *store* is a place (street shop or online shop)
an order belongs to. Invariants: every row of every other room names its merchant; nothing ever crosses merchants.
"""
