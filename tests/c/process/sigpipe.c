/* A peer goes away while a request is being written, over TCP, a unix socket and TLS, with SIGPIPE
 * at its default: the process lives, and the call fails with what is known of its outcome.
 *
 * Needs CERTS, a folder as tests/support/certs.sh makes it. */

#include "peer.h"
#include <signal.h>
#include <sys/wait.h>

/* Larger than what sockets hold on their own, so that writing goes on when the peer leaves. */
enum { LARGE = 500 * 1024 };
static uint8_t large[LARGE];

/* A plain program dies of such a peer: so the test tests something. */
static void check_peer(struct sockaddr *name, socklen_t length)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        int fd = socket(name->sa_family, SOCK_STREAM, 0);
        alarm(60);
        if (connect(fd, name, length) == 0)
            while (true)
                (void)!write(fd, large, sizeof large);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void put(const char *address, const char *name, const char *value, bool was_sent)
{
    int round;
    for (round = 0; round < 20; round++) {
        consul_client *client = client_with(address, name, value);
        consul_status status =
            consul_kv_put(client, "sigpipe", large, sizeof large, 0, NULL, NULL);
        CHECK(status < 0);
        CHECK(consul_last_error()->status == status);
        if (was_sent)
            CHECK(consul_last_error()->outcome_unknown);
        consul_client_free(client);
    }
}

static void over_tcp(size_t takes)
{
    struct listener listening = listener();
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    struct peer peer;
    CHECK(getsockname(listening.fd, (struct sockaddr *)&name, &length) == 0);
    peer_start(&peer, listening.fd, takes, 0);
    check_peer((struct sockaddr *)&name, length);
    put(listening.address, NULL, NULL, takes > 0);
    peer_stop(&peer);
}

static void over_unix_socket(size_t takes)
{
    struct sockaddr_un name;
    char folder[] = "/tmp/consul-ffi-XXXXXX", path[60], address[80];
    struct peer peer;
    CHECK(mkdtemp(folder) != NULL);
    sprintf(path, "%s/socket", folder);
    sprintf(address, "unix://%s", path);
    memset(&name, 0, sizeof name);
    name.sun_family = AF_UNIX;
    strcpy(name.sun_path, path);
    peer_start(&peer, peer_unix_socket(path), takes, 0);
    check_peer((struct sockaddr *)&name, sizeof name);
    put(address, NULL, NULL, takes > 0);
    peer_stop(&peer);
    unlink(path);
    rmdir(folder);
}

/* A TLS server that only swallows. */
struct tls_server {
    pid_t pid;
    unsigned port;
    int input;
    FILE *output;
    pthread_t drain;
};

/* It would stop when nobody reads what it prints. */
static void *drain(void *output)
{
    while (fgetc(output) != EOF)
        ;
    return NULL;
}

static void tls_server_exec(void)
{
    char certificate[200], key[200];
    sprintf(certificate, "%.180s/server.pem", getenv("CERTS"));
    sprintf(key, "%.180s/server-key.pem", getenv("CERTS"));
    execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key",
           key, (char *)NULL);
    _exit(127);
}

static void tls_server_start(struct tls_server *server)
{
    int in[2], out[2];
    char line[200];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    server->pid = fork();
    if (server->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(in[1]);
        close(out[0]);
        tls_server_exec();
    }
    close(in[0]);
    close(out[1]);
    /* It ends with its input. */
    server->input = in[1];
    server->output = fdopen(out[0], "r");
    do
        CHECK(fgets(line, sizeof line, server->output) != NULL);
    while (sscanf(line, "ACCEPT 127.0.0.1:%u", &server->port) != 1);
    CHECK(pthread_create(&server->drain, NULL, drain, server->output) == 0);
}

static void tls_server_stop(struct tls_server *server)
{
    kill(server->pid, SIGKILL);
    CHECK(waitpid(server->pid, NULL, 0) == server->pid);
    CHECK(pthread_join(server->drain, NULL) == 0);
    fclose(server->output);
    close(server->input);
}

static void over_tls(size_t takes, bool was_sent)
{
    char address[60], authority[200];
    struct listener listening = listener();
    struct tls_server server;
    struct peer peer;
    tls_server_start(&server);
    sprintf(address, "https%s", strchr(listening.address, ':'));
    sprintf(authority, "%.180s/ca.pem", getenv("CERTS"));
    peer_start(&peer, listening.fd, takes, (unsigned short)server.port);
    put(address, "tls_ca_file", authority, was_sent);
    peer_stop(&peer);
    tls_server_stop(&server);
}

int main(void)
{
    CHECK(getenv("CERTS") != NULL);
    CHECK(signal(SIGPIPE, SIG_DFL) == SIG_DFL);
    memset(large, 'x', sizeof large);
    over_tcp(0);
    over_tcp(1);
    over_tcp(100 * 1024);
    over_unix_socket(0);
    over_unix_socket(1);
    over_unix_socket(100 * 1024);
    over_tls(1, false);
    over_tls(20 * 1024, true);
    CHECK_NO_HANDLES();
    return 0;
}
