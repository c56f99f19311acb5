# SPDX-License-Identifier: ISC
"""Makes the zones that show a difference small: leaves out zones, signing, then records, as long as
the same fields of the same query differ without an explanation."""

import copy

TRIES = 400  # starts of the three servers: some 0.2 s each


def shrink(difference, again):
    """Returns the smallest difference found. AGAIN(group, query) says what differs, or None."""
    return Shrinker(difference, again).result()


class Shrinker:
    def __init__(self, difference, again):
        self.best, self.again, self.tries = difference, again, TRIES

    def result(self):
        if not self._try(copy.deepcopy(self.best.group)):
            return self.best  # together with other groups only: shown as it is
        self._zones()
        self._signing()
        while self._records():
            pass
        return self.best

    def _try(self, group):
        """Takes GROUP if it still shows the difference."""
        if self.tries <= 0:
            return False
        self.tries -= 1
        found = self.again(group, self.best.query)
        if found is None or found.left != self.best.left:
            return False
        found.kind = self.best.kind
        self.best = found
        return True

    def _zones(self):
        for zone in list(self.best.group.zones):
            group = copy.deepcopy(self.best.group)
            group.zones = [one for one in group.zones if one.origin != zone.origin]
            if group.zones:
                self._try(group)

    def _signing(self):
        for at in range(len(self.best.group.zones)):
            group = copy.deepcopy(self.best.group)
            if group.zones[at].signing:
                group.zones[at].signing = ()
                self._try(group)

    def _records(self):
        """Leaves out runs of records, halves first. Returns whether any could go."""
        gone = False
        for at in range(len(self.best.group.zones)):
            size = max(len(self.best.group.zones[at].records) // 2, 1)
            while size:
                gone |= self._runs(at, size)
                size //= 2
        return gone

    def _runs(self, at, size):
        gone, start = False, 0
        while start < len(self.best.group.zones[at].records) and self.tries > 0:
            group = copy.deepcopy(self.best.group)
            del group.zones[at].records[start:start + size]
            if self._try(group):
                gone = True
            else:
                start += size
        return gone
