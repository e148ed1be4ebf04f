"""Every way in, thin: understand the request, make one call, say the answer."""
