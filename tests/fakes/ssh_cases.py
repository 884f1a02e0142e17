"""Configurations of ssh for a host `board`, in which it can be reached, and in which it cannot.

`{port}` and `{user}` are the server's, `{ssh}` is ~/.ssh, `{python}` is this Python. The ssh-agent's socket is
~/agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PLACE: Final = " HostName 127.0.0.1\n Port {port}\n User {user}\n"
GOOD: Final = "Host board\n" + PLACE + " IdentityFile ~/.ssh/good\n"
GATE: Final = "Host gate*\n" + PLACE + " IdentityFile ~/.ssh/good\n"
BARE: Final = "Host board\n" + PLACE


@dataclass(frozen=True)
class Case:
    """A configuration, and what must be there besides."""

    name: str
    config: str
    agent: tuple[str, ...] = ()
    """The keys that the ssh-agent holds; without any there is no agent."""
    exported: bool = False
    """Whether SSH_AUTH_SOCK names it."""
    files: tuple[tuple[str, str], ...] = ()
    """Further files below ~/.ssh: name, and text or the file that it is a copy of."""
    said: str = ""
    """Of one that fails: what the error says."""
    without: tuple[str, ...] = ("id_ed25519",)
    """Files of ~/.ssh that are taken away."""
    by_itself: bool = True
    """Whether it can be followed where OpenSSH's programs are not installed."""

    def __str__(self) -> str:
        return self.name


WORKING: Final = (
    Case("the usual place", BARE, without=()),
    Case("key by name", GOOD),
    Case("equals signs and quotes",
         'Host=board\nHostName="127.0.0.1"\nPort={port}\nIdentityFile="~/.ssh/with space"\n'),
    Case("several keys, one missing", BARE + " IdentityFile ~/.ssh/missing\n IdentityFile ~/.ssh/stranger\n"
         " IdentityFile ~/.ssh/good\n"),
    Case("tokens in the key's path", BARE + " IdentityFile %d/.ssh/%r_%h_%p_%n_%u\n",
         files=(("{user}_127.0.0.1_{port}_board_{user}", "good"),)),
    Case("variable in the key's path", BARE + " IdentityFile ${{HOME}}/.ssh/good\n"),
    Case("agent of the environment", BARE, agent=("good",), exported=True),
    Case("IdentityAgent", BARE + " IdentityAgent ~/agent\n", agent=("good",)),
    Case("IdentityAgent with tokens", BARE + " IdentityAgent %d/agent\n", agent=("good",)),
    Case("IdentityAgent of a variable", BARE + " IdentityAgent $SSH_AUTH_SOCK\n IdentityFile none\n", agent=("good",),
         exported=True),
    Case("public key as IdentityFile", BARE + " IdentityFile ~/.ssh/public.pub\n IdentitiesOnly yes\n",
         agent=("stranger", "good"), exported=True),
    Case("passphrase and agent, no public file", BARE + " IdentityFile ~/.ssh/locked\n IdentitiesOnly yes\n",
         agent=("stranger", "good"), exported=True),
    Case("certificate beside the key", BARE + " IdentityFile ~/.ssh/certified\n"),
    Case("certificate beside a key of the agent", BARE + " IdentityFile ~/.ssh/certified\n IdentitiesOnly yes\n",
         agent=("certified",), exported=True),
    Case("certificate of the agent", BARE + " IdentityFile none\n", agent=("certified",), exported=True),
    Case("CertificateFile", BARE + " IdentityFile ~/.ssh/elsewhere\n CertificateFile ~/.ssh/certificate.pub\n"),
    Case("CertificateFile and agent", BARE + " IdentityFile none\n CertificateFile ~/.ssh/certificate.pub\n",
         agent=("elsewhere",), exported=True),
    Case("authority of hosts", GOOD + " UserKnownHostsFile ~/.ssh/authority\n"),
    Case("authority of hosts by alias", GOOD + " UserKnownHostsFile ~/.ssh/authority\n HostKeyAlias lab-board\n"),
    Case("HostKeyAlias", GOOD + " UserKnownHostsFile ~/.ssh/alias\n HostKeyAlias lab-board\n"),
    Case("hashed known_hosts", GOOD + " UserKnownHostsFile ~/.ssh/hashed\n"),
    Case("known without its port", GOOD + " UserKnownHostsFile ~/.ssh/portless\n"),
    Case("several known_hosts", GOOD + ' UserKnownHostsFile ~/.ssh/missing "~/.ssh/two words"\n'),
    Case("tokens in known_hosts", GOOD + " UserKnownHostsFile %d/.ssh/by_%k\n", files=(("by_board", "known_hosts"),)),
    Case("known to the system", GOOD + " UserKnownHostsFile none\n GlobalKnownHostsFile ~/.ssh/hashed\n"),
    Case("RevokedHostKeys of others", GOOD + " RevokedHostKeys {ssh}/listed_stranger\n"),
    Case("RevokedHostKeys of others in binary", GOOD + " RevokedHostKeys {ssh}/krl_stranger\n", by_itself=False),
    Case("tokens in HostName", "Host board\n HostName %h.lab\n Port 7\n IdentityFile ~/.ssh/good\n UserKnownHostsFile"
         " ~/.ssh/lab\n ProxyCommand ssh -W 127.0.0.1:{port} gate\n" + GATE, by_itself=False),
    Case("AddressFamily and BindAddress", GOOD + " AddressFamily inet\n BindAddress 127.0.0.1\n"),
    Case("Match host", "Match host b*,!bench\n" + PLACE + " IdentityFile ~/.ssh/good\n"),
    Case("Match exec", 'Match originalhost board exec "test %n = board"\n' + PLACE + " IdentityFile ~/.ssh/good\n",
         by_itself=False),
    Case("Match user", "Host board\n User {user}\nMatch user {user} host board\n" + PLACE
         + " IdentityFile ~/.ssh/good\n"),
    Case("Match final", BARE + "Match final host 127.0.0.1\n IdentityFile ~/.ssh/good\n"),
    Case("negated host, defaults at the end", "Host * !board\n Port 1\n" + BARE
         + "Host *\n IdentityFile ~/.ssh/good\n IdentitiesOnly yes\n Port 2\n"),
    Case("Include", "Include more/*\nHost board\n Include one\n", files=(
        ("more/a", "Host other\n Port 1\nHost board\n Port {port}\n"),
        ("one", " HostName 127.0.0.1\n IdentityFile ~/.ssh/good\n"))),
    Case("ProxyCommand", GOOD + ' ProxyCommand ssh -l %r -W "[%h]:%p" gate # 100%% of %n\n' + GATE, by_itself=False),
    Case("ProxyUseFdpass", GOOD + " ProxyCommand {python} {ssh}/pass_on %h %p\n ProxyUseFdpass yes\n", files=(
        ("pass_on", "import socket, sys\nmade = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
         "socket.send_fds(socket.socket(fileno=1), [b'x'], [made.fileno()])\n"),)),
    Case("ProxyJump", GOOD + " ProxyJump gate\n" + GATE, by_itself=False),
    Case("ProxyJump with user and port", GOOD + " ProxyJump {user}@localhost:{port}\nHost localhost\n"
         " IdentityFile ~/.ssh/good\n UserKnownHostsFile ~/.ssh/local\n", by_itself=False),
    Case("three jumps", GOOD + " ProxyJump gate1,gate2,ssh://{user}@gate3:{port}\n" + GATE, by_itself=False),
    Case("jump of a jump", GOOD + " ProxyJump gate1\nHost gate1\n ProxyJump gate2\n" + GATE, by_itself=False),
)

FAILING: Final = (
    Case("unknown host key", GOOD + " UserKnownHostsFile ~/.ssh/empty\n", said="is not known"),
    Case("no known_hosts", GOOD + " UserKnownHostsFile none\n", said="is not known"),
    Case("changed host key", GOOD + " UserKnownHostsFile ~/.ssh/changed\n", said="has changed"),
    Case("alias known with a port only", GOOD + " HostKeyAlias 127.0.0.1\n", said="is not known"),
    Case("revoked host key", GOOD + " UserKnownHostsFile ~/.ssh/revoked\n", said="revoked"),
    Case("revoked authority", GOOD + " UserKnownHostsFile ~/.ssh/authority_revoked\n", said="revoked"),
    Case("RevokedHostKeys", GOOD + " RevokedHostKeys {ssh}/listed_good\n", said="revoked"),
    Case("RevokedHostKeys in binary", GOOD + " RevokedHostKeys {ssh}/krl_good\n", said="revoked"),
    Case("RevokedHostKeys that is missing", GOOD + " RevokedHostKeys {ssh}/missing\n", said="missing"),
    Case("certificate for another name", GOOD + " UserKnownHostsFile ~/.ssh/authority\n HostKeyAlias lab-other\n",
         said="it is for '127.0.0.1', 'lab-board', not for 'lab-other'"),
    Case("stranger's key", BARE + " IdentityFile ~/.ssh/stranger\n", said="stranger"),
    Case("no key", BARE + " IdentityFile none\n", without=(), said="no key to try"),
    Case("key that others can read", BARE + " IdentityFile ~/.ssh/open\n", said="chmod 600"),
    Case("public key without an agent", BARE + " IdentityFile ~/.ssh/public.pub\n", said="no ssh-agent holds"),
    Case("passphrase without an agent", BARE + " IdentityFile ~/.ssh/locked\n", said="ssh-add"),
    Case("IdentityAgent none", BARE + " IdentityAgent none\n", agent=("good",), exported=True, said="no key to try"),
    Case("IdentitiesOnly", BARE + " IdentityFile ~/.ssh/stranger\n IdentitiesOnly yes\n", agent=("good",),
         exported=True, said="stranger"),
    Case("certificate for another user", BARE + " IdentityFile ~/.ssh/misnamed\n", said="misnamed"),
    Case("certificate without its key", BARE + " IdentityFile none\n CertificateFile ~/.ssh/certificate.pub\n",
         said="certificate.pub"),
    Case("keys forbidden", GOOD + " PubkeyAuthentication no\n", said="PubkeyAuthentication"),
    Case("keys not preferred", GOOD + " PreferredAuthentications password\n", said="PreferredAuthentications"),
    Case("Match exec that says no", BARE + 'Match exec "false"\n IdentityFile ~/.ssh/good\n', said="no key to try"),
    Case("jump whose host key is unknown", GOOD + " ProxyJump gate\n" + GATE + " UserKnownHostsFile ~/.ssh/empty\n",
         said="Host key verification failed"),
    Case("ProxyCommand that fails", GOOD + ' ProxyCommand echo "no way to %h" >&2; exit 1\n',
         said="no way to 127.0.0.1"),
    Case("ProxyUseFdpass without a connection", GOOD + " ProxyCommand echo no >&2; false\n ProxyUseFdpass yes\n",
         said="handed over no connection: no"),
    Case("option that ssh does not know", GOOD + " Gibberish yes\n", said="line 6"),
    Case("port that is none", "Host board\n Port many\n", said="line 2"),
    Case("unknown token", BARE + " IdentityFile ~/.ssh/%y\n", said="%y"),
    Case("home of nobody", BARE + " IdentityFile ~nobody-here/key\n", said="~nobody-here"),
    Case("quotes that do not end", GOOD + " ProxyCommand 'nc\n", said="line 6"),
    Case("jump that is none", GOOD + " ProxyJump -oUser=x\n", said="ProxyJump"),
    Case("address of another machine", GOOD + " BindAddress 192.0.2.1\n", said="192.0.2.1"),
    Case("address of another kind", GOOD + " AddressFamily inet6\n", said="IPv6"),
    Case("folder as a list", GOOD + " RevokedHostKeys {ssh}\n", said="directory"),
    Case("user that is no text", "Host board\n User a\x01b\n" + GOOD, said="cannot be the user"),
    Case("unset variable", BARE + " IdentityFile ~/.ssh/${{NOT_SET}}\n", said="NOT_SET"),
)
