"""A year of operation in minutes: the product's own functions under a simulated clock, moved by simulated people.

year       sets up, runs and tells         agenda     what happens when
desk       people's requests to the API    workshop   how a workshop answers and works
people     drivers, owners, operations     arrivals   faults as findings, days of use
stuck      open orders and why they wait
"""
