"""Return visits, surveys, complaints, churn cases, blueprint, events. Empty until its issue begins."""
