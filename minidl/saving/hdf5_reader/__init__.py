"""A reader for HDF5 files that strangers wrote: the part of the format that Keras and h5py write weights in.

Files come from anywhere, and the C library that h5py stands on is not made for that: changed bytes make it end the
process or run without end. Reading in a child process would contain this, but not be small: a start of Python for every
file, all weights copied through a pipe or shared memory, a time limit that is wrong on some machine, and nothing where
processes cannot be made. The part of the format that is needed is small. So it is read here, by arithmetic on bytes
that are checked to be there:

* a structure can be read only inside the file, and all structures together only about twice (``storage.py``);
* arrays are allocated when their bytes are known to be in the file, or when they are at most a few times the file's
  size (``Storage.charge``);
* an object can be reached by one path only, and a node of a tree once, so that nothing is endless;
* everything else ends in a FormatError with the file, the path inside it, and the byte.

What a module reads of the specification stands at its top. Read are: superblocks 0 to 3; object headers 1 and 2;
groups of both kinds, with many members too; attributes; arrays of integers, floats (bfloat16 among them), bools and
texts, in one piece, in the header, or in chunks with gzip, shuffle and fletcher32. Refused by name are links, external
and virtual storage, compounds, references, other compressions, and the chunk indexes of ``libver="latest"``.
"""

from .tree import Dataset, Group, open_hdf5

__all__ = ["Dataset", "Group", "open_hdf5"]
