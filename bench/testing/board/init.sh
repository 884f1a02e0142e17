#!/bin/busybox sh
# The first program of the board's kernel: finds the disk, mounts it, and goes on with /sbin/init there.
busybox mkdir -p /dev /disk /proc /sys
busybox mount -t devtmpfs dev /dev
while read -r module; do busybox insmod "/modules/$module"; done < /modules/order
tries=0
until [ -b /dev/vda ]; do
    tries=$((tries + 1))
    [ $tries -gt 100 ] && echo "no disk" && exec busybox poweroff -f
    busybox usleep 50000
done
busybox mount -t ext4 -o noatime /dev/vda /disk || exec busybox poweroff -f
busybox mount --move /dev /disk/dev
exec busybox switch_root /disk /sbin/init
