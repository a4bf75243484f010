"""Short trainings with a known diagnosis, by which the findings are judged.

Sick ones carry a planted fault and a proof of it that uses nothing of nbdiag; healthy ones look
frightening and are not. `python -m benchmarks.diagnosis` prints recall and false alarms.
"""

PARTS = ("sick_loss", "sick_gradient", "sick_units", "sick_weights", "healthy_plain", "healthy_odd")
"""The files that hold the cases."""
