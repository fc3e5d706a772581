/* standalone.c - runs a fuzz target over files, without libFuzzer: the corpus as a plain test.
 *
 *   fuzz_text corpus/text one-file.bin
 *
 * Each argument is a file or a folder of files; folders that are not there are passed over, but
 * some input there must be. Every input lies in memory of exactly its length, so that a read
 * behind its end is seen by the sanitizers. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A target may have it, as with libFuzzer. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static _Noreturn void fail(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    exit(2);
}

static void run_file(const char *path, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");

    if (bytes == NULL || file == NULL)
        fail("cannot open", path);
    if (size > 0 && fread(bytes, size, 1, file) != 1)
        fail("cannot read", path);
    fclose(file);
    /* Printed first: when the target crashes, the last line names the input. */
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

static size_t run(const char *path);

static size_t run_folder(const char *path)
{
    struct dirent **entries;
    size_t ran = 0;
    int count = scandir(path, &entries, NULL, alphasort);

    if (count < 0)
        fail("cannot list", path);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            char *name;

            if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
                fail("cannot name a file of", path);
            ran += run(name);
            free(name);
        }
        free(entries[i]);
    }
    free(entries);
    return ran;
}

/* How many inputs ran. */
static size_t run(const char *path)
{
    struct stat is;

    if (stat(path, &is) != 0) {
        if (errno == ENOENT)
            return 0;
        fail("cannot look at", path);
    }
    if (S_ISDIR(is.st_mode))
        return run_folder(path);
    run_file(path, (size_t)is.st_size);
    return 1;
}

int main(int argc, char **argv)
{
    size_t ran = 0;

    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        ran += run(argv[i]);
    printf("%zu inputs ran\n", ran);
    if (ran == 0)
        fprintf(stderr, "no input: a fuzz target needs a seed corpus\n");
    return ran > 0 ? 0 : 1;
}
