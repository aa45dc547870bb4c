# Runs a command with the service manager's socket open: with-notify-socket.pl COMMAND [ARGUMENT]...
# Node can make no datagram socket of the Unix kind, but it can write to one that is connected. Its number stands in
# JC_NOTIFY_FD. What is run takes this process over, so that its pid is the one that systemd knows.
use strict;
use warnings;
use Fcntl qw(F_SETFD F_SETFL O_NONBLOCK);
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);

sub connected {
    my ($name) = @_;
    # An abstract name begins with a zero byte, which no variable can hold: systemd writes @ for it.
    $name =~ s/^@/\0/;
    socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or return;
    connect($socket, pack_sockaddr_un($name)) or return;
    # A systemd that is busy keeps nobody waiting; what it did not take is said again.
    fcntl($socket, F_SETFL, O_NONBLOCK) or return;
    # Outlives the next line.
    fcntl($socket, F_SETFD, 0) or return;
    return $socket;
}

delete $ENV{JC_NOTIFY_FD};
my $socket = defined $ENV{NOTIFY_SOCKET} ? connected($ENV{NOTIFY_SOCKET}) : undef;
$ENV{JC_NOTIFY_FD} = fileno $socket if $socket;
exec { $ARGV[0] } @ARGV or die "$ARGV[0] cannot be run: $!\n";
