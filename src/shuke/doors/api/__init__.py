"""The door for other software: JSON under /api/v1, a token per program, described at /api/v1/openapi.json.

Money is integer minor units, ids and cards are text (they do not fit a JavaScript number), instants are ISO 8601 with
offset. Contact data is masked. A refusal is `{"error": sentence}` with 400 (cannot be understood), 401, 403, 404 or 409.
"""
