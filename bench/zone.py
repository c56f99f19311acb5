# SPDX-License-Identifier: ISC
"""Prints a master file with N address records: zone.py N"""

import sys


def main():
    count = int(sys.argv[1])
    print("$TTL 3600\n@ IN SOA ns1 hostmaster 1 3600 600 86400 300\n@ IN NS ns1\nns1 IN A 192.0.2.1")
    for number in range(count):
        print(f"host{number} IN A 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")


main()
