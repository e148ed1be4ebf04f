"""One function per page or fragment: understand the request, make one call, show the answer."""
