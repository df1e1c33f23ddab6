import math


class Gauge:
    # Metres above chart datum.
    def level(self, hours):
        return 2.1 * math.cos(hours)
