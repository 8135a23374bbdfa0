#!/bin/bash
# Becomes one throw-away host. Runs as the first process of new mount, process and name spaces.
#
# From the environment: HOST_NAME, FOLDER (this host's own), KEYS (key pairs of all hosts),
# SERVICES (words: nginx, checkout, redis), and the loopback ports SSH_PORT, HTTP_PORT,
# CHECKOUT_PORT, REDIS_PORT (the shared one), NODE_PORT.
#
# All that the host writes goes to memory mounted in its own space: when the process ends,
# everything is gone, and the machine beneath has not changed.
set -eu

mount --make-rprivate /
mount -t tmpfs scratch "$FOLDER"
R=$FOLDER/root
mkdir "$FOLDER/upper" "$FOLDER/work" "$R"
mount -t overlay overlay -o "lowerdir=/,upperdir=$FOLDER/upper,workdir=$FOLDER/work" "$R"
mount -t proc proc "$R/proc"
mount --rbind /dev "$R/dev"
for place in run tmp root home; do   # the people's files of the machine stay unseen
  [ ! -d "$R/$place" ] || mount -t tmpfs -o mode=755 "$place" "$R/$place"
done
chmod 1777 "$R/tmp"
hostname "$HOST_NAME"

# --- who may come in: one key, no password
mkdir -p "$R/run/sshd" "$R/run/lock" "$R/run/redis"
install -d -m 700 "$R/root/.ssh"
install -m 600 "$KEYS/id.pub" "$R/root/.ssh/authorized_keys"
install -m 600 "$KEYS/host" "$R/etc/ssh/demo_host_key"
sed -i 's/^root:[^:]*:/root:*:/' "$R/etc/shadow"   # sshd refuses an account locked by "!"
cat > "$R/etc/ssh/demo_sshd_config" <<C
Port $SSH_PORT
ListenAddress 127.0.0.1
HostKey /etc/ssh/demo_host_key
PidFile /run/sshd.pid
PasswordAuthentication no
UsePAM no
UseDNS no
AcceptEnv LANG LC_*
MaxStartups 100
Subsystem sftp internal-sftp
C

# --- what it serves
rm -f "$R/usr/sbin/policy-rc.d" "$R"/etc/nginx/sites-enabled/* "$R"/etc/nginx/conf.d/*
cat > "$R/etc/nginx/conf.d/demo.conf" <<C
server {
  listen 127.0.0.1:$HTTP_PORT;
  location / { default_type text/plain; return 200 "$HOST_NAME\n"; }
  location = /checkout { proxy_pass http://127.0.0.1:$CHECKOUT_PORT; }
}
C
cat > "$R/etc/redis/redis.conf" <<C
bind 127.0.0.1
port $REDIS_PORT
daemonize yes
pidfile /run/redis/redis-server.pid
dir /var/lib/redis
logfile /var/log/redis/redis-server.log
save ""
C
install -m 644 "$(dirname "$0")/checkout.py" "$R/opt/checkout.py"

export SERVICES SSH_PORT CHECKOUT_PORT REDIS_PORT NODE_PORT
exec chroot "$R" /bin/bash -c '
  cd /
  chown redis: /run/redis /etc/redis/redis.conf
  for name in $SERVICES; do
    case $name in
      nginx) service nginx start ;;
      redis) service redis-server start ;;
      checkout) /usr/bin/python3 /opt/checkout.py "$CHECKOUT_PORT" "$REDIS_PORT" & ;;
    esac
  done
  prometheus-node-exporter --web.listen-address="127.0.0.1:$NODE_PORT" --collector.disable-defaults \
    --collector.uname --collector.cpu --collector.meminfo --collector.filesystem --collector.loadavg &
  /usr/sbin/sshd -D -e -f /etc/ssh/demo_sshd_config &
  trap "exit 0" TERM
  while :; do wait -n || sleep 1; done'
