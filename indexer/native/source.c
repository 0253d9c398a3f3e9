/* Which state of the source this was compiled from. */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers are read and written as on a little-endian machine"
#endif

const char *indexer_source(void)
{
    return INDEXER_SOURCE;
}
