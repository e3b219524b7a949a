/* How the cluster is: who leads, and how each server is in the eyes of Raft. The whole report, with
 * health and what this client has seen of its addresses, is JSON: consul_operator_cluster_report. */

#include <consul_ffi.h>
#include <stdio.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static int servers(const consul_client *client)
{
    consul_raft_peers *peers = NULL;
    size_t i;

    if (consul_operator_raft_peers(client, NULL, NULL, &peers) < 0)
        return failed();
    for (i = 0; i < consul_raft_peers_count(peers); i++) {
        const consul_raft_peer *peer = consul_raft_peers_at(peers, i);
        printf("server %s at %s: %s, unknown\n", peer->node, peer->address,
               peer->is_leader  ? "leads"
               : peer->is_voter ? "votes"
                                : "follows");
    }
    consul_raft_peers_free(peers);
    return 0;
}

static int endpoints(const consul_client *client)
{
    consul_stats *stats = NULL;
    size_t i;

    for (i = 0; i < consul_client_endpoint_count(client); i++) {
        const consul_progress *endpoint;
        if (consul_client_endpoint_stats(client, i, &stats) < 0)
            return failed();
        endpoint = consul_stats_row(stats);
        printf("endpoint %s: %s\n", endpoint->address, endpoint->state);
        consul_stats_free(stats);
    }
    return 0;
}

int main(void)
{
    consul_client *client = NULL;
    consul_text *leader = NULL;
    consul_status status;
    int result;

    if (consul_client_new(NULL, &client) < 0)
        return failed();
    status = consul_status_leader(client, NULL, NULL, &leader);
    if (status < 0) {
        result = failed();
    } else {
        printf("leader: %s\n", status == CONSUL_OK ? consul_text_data(leader) : "none");
        result = servers(client);
    }
    if (result == 0)
        result = endpoints(client);
    consul_text_free(leader);
    consul_client_free(client);
    return result;
}
