"""What every console page shows: the merchant and its clock."""


def shop(request):
    user = getattr(request, "user", None)
    return {"merchant": user.merchant if user is not None and user.is_authenticated else None}
