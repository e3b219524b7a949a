/* Saves the state of the servers in a file, and some keys as `consul kv export` does; brings both back.
 *
 * A token needs management rights for a snapshot. It is restored only with the argument `restore`: that
 * takes back whatever anybody has written since it was saved. */

#include <consul_ffi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static consul_status put(const consul_client *client, const char *key, const char *value)
{
    return consul_kv_put(client, key, (const uint8_t *)value, strlen(value), 0, NULL, NULL);
}

static int show(const consul_client *client, const char *what)
{
    consul_kv *kv = NULL;
    int shown = consul_kv_get(client, "app/backup/limit", NULL, NULL, &kv) == CONSUL_OK;
    if (shown) {
        const consul_kv_pair *pair = consul_kv_at(kv, 0);
        printf("%s: %.*s\n", what, (int)pair->value_len, (const char *)pair->value);
    }
    consul_kv_free(kv);
    return shown ? 0 : failed();
}

/* Takes the keys away, and brings them back. */
static int export_and_import(const consul_client *client)
{
    consul_text *exported = NULL;
    consul_status status;

    if ((status = consul_kv_export(client, "app/backup/", NULL, NULL, &exported)) == CONSUL_OK &&
        (status = consul_kv_delete_prefix(client, "app/backup/", NULL, NULL)) == CONSUL_OK)
        status = consul_kv_import(client, NULL, (const uint8_t *)consul_text_data(exported),
                                  consul_text_len(exported), NULL, NULL);
    consul_text_free(exported);
    return status == CONSUL_OK ? show(client, "imported") : failed();
}

static int save(const consul_client *client, const char *path)
{
    consul_text *about = NULL;

    if (consul_snapshot_save(client, path, NULL, NULL, &about) != CONSUL_OK)
        return failed(); /* what was there before is there still */
    printf("saved: %s\n",
           strstr(consul_text_data(about), "\"Index\"") ? "with its index" : "without an index");
    consul_text_free(about);
    return 0;
}

static int restore(const consul_client *client, const char *path)
{
    consul_text *about = NULL;
    consul_status status = consul_snapshot_restore(client, path, NULL, NULL, &about);
    consul_text_free(about);
    return status == CONSUL_OK ? show(client, "restored") : failed();
}

int main(int count, char **arguments)
{
    char folder[] = "/tmp/consul-backup-XXXXXX", path[64];
    consul_client *client = NULL;
    int result;

    if (mkdtemp(folder) == NULL || consul_client_new(NULL, &client) < 0)
        return failed();
    sprintf(path, "%s/consul.snap", folder);
    if (put(client, "app/backup/limit", "10") < 0 || put(client, "app/backup/name", "blue") < 0)
        result = failed();
    else
        result = save(client, path) || export_and_import(client);
    if (result == 0 && put(client, "app/backup/limit", "20") < 0)
        result = failed();
    if (result == 0 && count > 1 && strcmp(arguments[1], "restore") == 0)
        result = restore(client, path);
    if (consul_kv_delete_prefix(client, "app/backup/", NULL, NULL) < 0)
        result = failed();
    unlink(path);
    rmdir(folder);
    consul_client_free(client);
    return result;
}
