/* Of all processes one leads, and everybody knows which: start it on several machines. */

#include <consul_ffi.h>
#include <stdio.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

/* Starts a candidate of this value; NULL only observes. */
static consul_election *start(const consul_client *client, const char *value, size_t value_len)
{
    consul_election_spec *spec = NULL;
    consul_election *election = NULL;
    if (consul_election_spec_new("app/election", &spec) == CONSUL_OK &&
        consul_election_spec_set_value(spec, (const uint8_t *)value, value_len) == CONSUL_OK &&
        consul_election_spec_set_observe_only(spec, value == NULL) == CONSUL_OK)
        consul_election_start(client, spec, &election);
    consul_election_spec_free(spec);
    return election;
}

/* Shows what has changed since this version, and moves it on. */
static int show_change(const consul_election *observer, uint64_t *version)
{
    consul_leader *leader = NULL;
    const consul_leadership *row;
    if (consul_election_wait_change(observer, *version, 30000, &leader) != CONSUL_OK)
        return failed();
    row = consul_leader_row(leader);
    if (row->is_present)
        printf("the leader is %.*s\n", (int)row->value_len, (const char *)row->value);
    else
        puts("nobody leads");
    *version = row->version;
    consul_leader_free(leader);
    return 0;
}

static int lead(const consul_election *candidate, const consul_election *observer,
                uint64_t version)
{
    if (consul_election_wait_elected(candidate, 30000) != CONSUL_OK) {
        puts("somebody else leads");
        return 1;
    }
    /* A store that refuses lower tokens than it has seen is safe from a leader that was too slow. */
    printf("leading, fencing token %llu\n",
           (unsigned long long)consul_election_fencing_token(candidate));

    /* Work goes here. A long one asks consul_election_is_leader() between its steps. */
    if (show_change(observer, &version))
        return 1;

    /* Another candidate leads at once. */
    if (consul_election_resign(candidate, NULL) < 0)
        return failed();
    return show_change(observer, &version);
}

static int run(const consul_client *client)
{
    /* Who only wants to know observes, without campaigning. */
    consul_election *observer = start(client, NULL, 0), *candidate = NULL;
    uint64_t version = 0;
    int result;
    if (observer == NULL)
        return failed();
    result = show_change(observer, &version);
    if (result == 0) {
        /* A candidate campaigns in the background until it resigns, also while Consul is away. */
        candidate = start(client, "node-1", 6);
        result = candidate == NULL ? failed() : lead(candidate, observer, version);
    }
    consul_election_free(candidate);
    consul_election_free(observer);
    return result;
}

int main(void)
{
    consul_client *client = NULL;
    int result;

    if (consul_client_new(NULL, &client) < 0)
        return failed();
    result = run(client);
    /* Who still leads resigns before the process ends. */
    consul_client_close(client, 5000);
    consul_client_free(client);
    return result;
}
