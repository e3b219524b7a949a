/* The sockets of this process. */

#ifndef SOCKETS_H
#define SOCKETS_H

#include "support.h"
#include <dirent.h>

/* How many sockets are open; the number of the last one goes to `inode` unless that is NULL. */
UNUSED static int sockets(unsigned long *inode)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char path[300], target[100];
        unsigned long number;
        ssize_t length;
        sprintf(path, "/proc/self/fd/%s", entry->d_name);
        length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        if (sscanf(target, "socket:[%lu]", &number) != 1)
            continue;
        count++;
        if (inode != NULL)
            *inode = number;
    }
    closedir(folder);
    return count;
}

/* How many threads there are. */
UNUSED static int threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

/* How many of them are the library's: a sanitizer has some too. */
UNUSED static int library_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char path[300], name[20] = "";
        FILE *file;
        sprintf(path, "/proc/self/task/%.20s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fgets(name, sizeof name, file) != NULL && strncmp(name, "consul-", 7) == 0)
            count++;
        fclose(file);
    }
    closedir(folder);
    return count;
}

/* Till what goes on in the background has ended, which it does by itself when the last client is gone.
 * A thread that was joined is listed for another moment. */
UNUSED static void await_library_threads(void)
{
    while (library_threads() > 0)
        usleep(1000);
}

#endif
