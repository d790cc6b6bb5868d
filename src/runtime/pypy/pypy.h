/**
 * PyPy. A translated interpreter describes itself: a compressed list of its types with their
 * members, a table of what the collector must know of each, and thousands of objects that tell the
 * JIT where each field is. Nothing here depends on a version: fields are asked for by name, and
 * where a needed one is missing the search ends.
 *
 * Facts: rpython/memory/gctypelayout.py (type_info), rpython/memory/gctransform/framework.py
 * (GCData), rpython/jit/backend/llsupport/descr.py (FieldDescr),
 * rpython/translator/c/src/threadlocal.h; 7.3.3 to 8.0.1 alike. 64-bit little-endian builds with
 * the minimark or incminimark collector, which all released ones have.
 */
#ifndef SCRY_PYPY_H
#define SCRY_PYPY_H

#include "runtime/find.h"

/**
 * Classes that are told apart. A subclass counts as its base: by ranges, as RPython's isinstance()
 * tests it.
 */
#define SCRY_PYPY_CLASSES(X)                                                                       \
	X(ROOT, "pypy.interpreter.baseobjspace.W_Root")                                            \
	X(FRAME, "pypy.interpreter.pyframe.PyFrame")                                               \
	X(CODE, "pypy.interpreter.pycode.PyCode")                                                  \
	X(EC, "pypy.interpreter.executioncontext.ExecutionContext")                                \
	X(CELL, "pypy.interpreter.nestedscope.Cell")                                               \
	X(NONE, "pypy.objspace.std.noneobject.W_NoneObject")                                       \
	X(BOOL, "pypy.objspace.std.boolobject.W_BoolObject")                                       \
	X(INT, "pypy.objspace.std.intobject.W_IntObject")                                          \
	X(LONG, "pypy.objspace.std.longobject.W_LongObject")                                       \
	X(FLOAT, "pypy.objspace.std.floatobject.W_FloatObject")                                    \
	X(COMPLEX, "pypy.objspace.std.complexobject.W_ComplexObject")                              \
	X(UNICODE, "pypy.objspace.std.unicodeobject.W_UnicodeObject")                              \
	X(BYTES, "pypy.objspace.std.bytesobject.W_BytesObject")                                    \
	X(TUPLE, "pypy.objspace.std.tupleobject.W_TupleObject")                                    \
	X(TUPLE_II, "pypy.objspace.std.specialisedtupleobject.W_SpecialisedTupleObject_ii")        \
	X(TUPLE_FF, "pypy.objspace.std.specialisedtupleobject.W_SpecialisedTupleObject_ff")        \
	X(TUPLE_OO, "pypy.objspace.std.specialisedtupleobject.W_SpecialisedTupleObject_oo")        \
	X(LIST, "pypy.objspace.std.listobject.W_ListObject")                                       \
	X(DEQUE, "pypy.module._collections.interp_deque.W_Deque")                                  \
	X(ARRAY, "pypy.module.array.interp_array.W_ArrayBase")                                     \
	X(BYTEARRAY, "pypy.objspace.std.bytearrayobject.W_BytearrayObject")                        \
	X(RANGE, "pypy.module.__builtin__.functional.W_Range")                                     \
	X(SLICE, "pypy.objspace.std.sliceobject.W_SliceObject")                                    \
	X(GENERATOR, "pypy.interpreter.generator.GeneratorOrCoroutine|pypy.interpreter.generator." \
		     "GeneratorIterator")                                                          \
	X(COROUTINE, "pypy.interpreter.generator.Coroutine")                                       \
	X(ASYNC_GENERATOR, "pypy.interpreter.generator.AsyncGenerator")                            \
	X(ASYNC_STEP, "pypy.interpreter.generator.AsyncGenABase")                                  \
	X(COROUTINE_WRAPPER, "pypy.interpreter.generator.CoroutineWrapper")                        \
	X(WEAKREF, "pypy.module._weakref.interp__weakref.W_WeakrefBase")                           \
	X(CONTINULET, "pypy.module._continuation.interp_continuation.W_Continulet")                \
	X(NOT_IMPLEMENTED, "pypy.interpreter.special.NotImplemented")                              \
	X(ELLIPSIS, "pypy.interpreter.special.Ellipsis")                                           \
	X(DICT_VIEW, "pypy.objspace.std.dictmultiobject.W_DictViewObject")                         \
	X(PROXY, "pypy.objspace.std.dictproxyobject.W_DictProxyObject")                            \
	X(CDATA, "pypy.module._cffi_backend.cdataobj.W_CData")                                     \
	X(EXCEPTION, "pypy.module.exceptions.interp_exceptions.W_BaseException")                   \
	X(TRACEBACK, "pypy.interpreter.pytraceback.PyTraceback")                                   \
	X(OPERR, "pypy.interpreter.error.OperationError")                                          \
	X(RESTORER, "pypy.interpreter.pyopcode.SysExcInfoRestorer")                                \
	X(APP_EXCEPTION, "pypy.interpreter.pyopcode.SApplicationException")                        \
	X(DICT, "pypy.objspace.std.dictmultiobject.W_DictObject")                                  \
	X(MODULE_DICT, "pypy.objspace.std.dictmultiobject.W_ModuleDictObject")                     \
	X(FROZENSET, "pypy.objspace.std.setobject.W_FrozensetObject")                              \
	X(SET, "pypy.objspace.std.setobject.W_SetObject")                                          \
	X(TYPE, "pypy.objspace.std.typeobject.W_TypeObject")                                       \
	X(OBJECT, "pypy.objspace.std.objectobject.W_ObjectObject")                                 \
	X(BUILTIN_FUNCTION, "pypy.interpreter.function.BuiltinFunction")                           \
	X(FUNCTION, "pypy.interpreter.function.Function")                                          \
	X(METHOD, "pypy.interpreter.function.Method")                                              \
	X(MODULE, "pypy.interpreter.module.Module")                                                \
	X(ATTRIBUTE, "pypy.objspace.std.mapdict.PlainAttribute")                                   \
	X(MUTABLE_CELL, "pypy.objspace.std.typeobject.ObjectMutableCell")                          \
	X(MUTABLE_INT, "pypy.objspace.std.typeobject.IntMutableCell")                              \
	X(RESUME, "rpython.jit.metainterp.compile.ResumeGuardDescr")                               \
	X(VIRTUAL, "rpython.jit.metainterp.resume.VirtualInfo")                                    \
	X(VIRTUAL_STRUCT, "rpython.jit.metainterp.resume.VStructInfo")                             \
	X(VIRTUAL_ARRAY, "rpython.jit.metainterp.resume.VArrayInfoClear")                          \
	X(VIRTUAL_ARRAY_RAW, "rpython.jit.metainterp.resume.VArrayInfoNotClear")                   \
	X(VIRTUAL_TEXT, "rpython.jit.metainterp.resume.VStrPlainInfo")                             \
	X(VIRTUAL_CONCAT, "rpython.jit.metainterp.resume.VStrConcatInfo")                          \
	X(VIRTUAL_SLICE, "rpython.jit.metainterp.resume.VStrSliceInfo")

/**
 * Fields by RPython's names; alternatives by '|', the first that is there counts. A '!' before:
 * cannot do without.
 */
#define SCRY_PYPY_FIELDS(X)                                                                       \
	X(EC_TOPFRAMEREF, "!pypy.interpreter.executioncontext.ExecutionContext.inst_topframeref") \
	X(VREF_TOKEN, "JitVirtualRef.virtual_token")                                              \
	X(VREF_FORCED, "JitVirtualRef.forced")                                                    \
	X(FRAME_VABLE_TOKEN, "pypy.interpreter.pyframe.PyFrame.vable_token")                      \
	X(FRAME_DEBUGDATA, "pypy.interpreter.pyframe.PyFrame.inst_debugdata")                     \
	X(FRAME_BACKREF, "!pypy.interpreter.pyframe.PyFrame.inst_f_backref")                      \
	X(JITFRAME_FORCE_DESCR, "JITFRAME.jf_force_descr")                                        \
	X(JITFRAME_FORWARD, "JITFRAME.jf_forward")                                                \
	X(JITFRAME_FRAME, "JITFRAME.jf_frame")                                                    \
	X(FRAME_LAST_INSTR, "!pypy.interpreter.pyframe.PyFrame.inst_last_instr")                  \
	X(FRAME_LOCALS, "!pypy.interpreter.pyframe.PyFrame.inst_locals_cells_stack_w")            \
	X(FRAME_CODE, "!pypy.interpreter.pyframe.PyFrame.inst_pycode")                            \
	X(DEBUGDATA_LOCALS, "pypy.interpreter.pyframe.FrameDebugData.inst_w_locals")              \
	X(DEBUGDATA_GLOBALS, "pypy.interpreter.pyframe.FrameDebugData.inst_w_globals")            \
	X(CODE_NAME, "!pypy.interpreter.eval.Code.inst_co_name")                                  \
	X(CODE_HIDDEN, "pypy.interpreter.eval.Code.inst_hidden_applevel")                         \
	X(CODE_QUALNAME, "pypy.interpreter.pycode.PyCode.inst_co_qualname")                       \
	X(CODE_FILENAME, "!pypy.interpreter.pycode.PyCode.inst_co_filename")                      \
	X(CODE_FIRST_LINE, "!pypy.interpreter.pycode.PyCode.inst_co_firstlineno")                 \
	X(CODE_UNIQUE_ID, "pypy.interpreter.pycode.PyCode.inst__vmprof_unique_id")                \
	X(CODE_FLAGS, "pypy.interpreter.pycode.PyCode.inst_co_flags")                             \
	X(CODE_ARGCOUNT, "pypy.interpreter.pycode.PyCode.inst_co_argcount")                       \
	X(CODE_KWONLY, "pypy.interpreter.pycode.PyCode.inst_co_kwonlyargcount")                   \
	X(CODE_NLOCALS, "!pypy.interpreter.pycode.PyCode.inst_co_nlocals")                        \
	X(CODE_CODE, "!pypy.interpreter.pycode.PyCode.inst_co_code")                              \
	X(CODE_VARNAMES, "!pypy.interpreter.pycode.PyCode.inst_co_varnames")                      \
	X(CODE_CELLVARS, "!pypy.interpreter.pycode.PyCode.inst_co_cellvars")                      \
	X(CODE_FREEVARS, "!pypy.interpreter.pycode.PyCode.inst_co_freevars")                      \
	X(CODE_LNOTAB, "pypy.interpreter.pycode.PyCode.inst_co_lnotab")                           \
	X(CODE_LINETABLE, "pypy.interpreter.pycode.PyCode.inst_co_linetable")                     \
	X(CODE_EXCEPTIONTABLE, "pypy.interpreter.pycode.PyCode.inst_co_exceptiontable")           \
	X(CODE_GLOBALS, "pypy.interpreter.pycode.PyCode.inst_w_globals")                          \
	X(CODE_CONSTS, "pypy.interpreter.pycode.PyCode.inst_co_consts_w")                         \
	X(CODE_NAMES, "pypy.interpreter.pycode.PyCode.inst_co_names_w")                           \
	X(CELL_VALUE, "pypy.interpreter.nestedscope.Cell.inst_w_value")                           \
	X(INT_VALUE, "pypy.objspace.std.intobject.W_IntObject.inst_intval")                       \
	X(LONG_NUM, "pypy.objspace.std.longobject.W_LongObject.inst_num")                         \
	X(BIGINT_DIGITS, "rpython.rlib.rbigint.rbigint.inst__digits")                             \
	X(BIGINT_SIGN, "rpython.rlib.rbigint.rbigint.inst_sign")                                  \
	X(BIGINT_SIZE,                                                                            \
	  "rpython.rlib.rbigint.rbigint.inst__size|rpython.rlib.rbigint.rbigint.inst_size")       \
	X(FLOAT_VALUE, "pypy.objspace.std.floatobject.W_FloatObject.inst_floatval")               \
	X(COMPLEX_REAL, "pypy.objspace.std.complexobject.W_ComplexObject.inst_realval")           \
	X(COMPLEX_IMAG, "pypy.objspace.std.complexobject.W_ComplexObject.inst_imagval")           \
	X(UNICODE_UTF8, "pypy.objspace.std.unicodeobject.W_UnicodeObject.inst__utf8")             \
	X(BYTES_VALUE, "pypy.objspace.std.bytesobject.W_BytesObject.inst__value")                 \
	X(TUPLE_ITEMS, "pypy.objspace.std.tupleobject.W_TupleObject.inst_wrappeditems")           \
	X(LIST_STRATEGY, "pypy.objspace.std.listobject.W_ListObject.inst_strategy")               \
	X(LIST_STORAGE, "pypy.objspace.std.listobject.W_ListObject.inst_lstorage")                \
	X(DICT_STORAGE, "pypy.objspace.std.dictmultiobject.W_DictMultiObject.inst_dstorage")      \
	X(DICT_STRATEGY, "pypy.objspace.std.dictmultiobject.W_DictObject.inst_dstrategy")         \
	X(MODULE_DICT_STRATEGY,                                                                   \
	  "pypy.objspace.std.dictmultiobject.W_ModuleDictObject.inst_mstrategy")                  \
	X(SET_STORAGE, "pypy.objspace.std.setobject.W_BaseSetObject.inst_sstorage")               \
	X(SET_STRATEGY, "pypy.objspace.std.setobject.W_BaseSetObject.inst_strategy")              \
	X(DEQUE_LEFT, "pypy.module._collections.interp_deque.W_Deque.inst_leftblock")             \
	X(DEQUE_LEFT_INDEX, "pypy.module._collections.interp_deque.W_Deque.inst_leftindex")       \
	X(DEQUE_LENGTH, "pypy.module._collections.interp_deque.W_Deque.inst_len")                 \
	X(DEQUE_MOST, "pypy.module._collections.interp_deque.W_Deque.inst_maxlen")                \
	X(BLOCK_DATA, "pypy.module._collections.interp_deque.Block.inst_data")                    \
	X(BLOCK_RIGHT, "pypy.module._collections.interp_deque.Block.inst_rightlink")              \
	X(ARRAY_BUFFER, "pypy.module.array.interp_array.W_ArrayBase.inst__buffer")                \
	X(ARRAY_LENGTH, "pypy.module.array.interp_array.W_ArrayBase.inst_len")                    \
	X(BYTEARRAY_DATA, "pypy.objspace.std.bytearrayobject.W_BytearrayObject.inst__data")       \
	X(BYTEARRAY_OFFSET, "pypy.objspace.std.bytearrayobject.W_BytearrayObject.inst__offset")   \
	X(BYTEARRAY_EXPORTS, "pypy.objspace.std.bytearrayobject.W_BytearrayObject.inst__exports") \
	X(RANGE_START, "pypy.module.__builtin__.functional.W_Range.inst_w_start")                 \
	X(RANGE_STOP, "pypy.module.__builtin__.functional.W_Range.inst_w_stop")                   \
	X(RANGE_STEP, "pypy.module.__builtin__.functional.W_Range.inst_w_step")                   \
	X(SLICE_START, "pypy.objspace.std.sliceobject.W_SliceObject.inst_w_start")                \
	X(SLICE_STOP, "pypy.objspace.std.sliceobject.W_SliceObject.inst_w_stop")                  \
	X(SLICE_STEP, "pypy.objspace.std.sliceobject.W_SliceObject.inst_w_step")                  \
	X(GENERATOR_RUNNING,                                                                      \
	  "pypy.interpreter.generator.GeneratorOrCoroutine.inst_running|pypy.interpreter."        \
	  "generator.GeneratorIterator.inst_running")                                             \
	X(ASYNC_STEP_OF, "pypy.interpreter.generator.AsyncGenABase.inst_async_gen")               \
	X(WRAPPER_OF, "pypy.interpreter.generator.CoroutineWrapper.inst_coroutine")               \
	X(FRAME_YIELDS_FROM, "pypy.objspace.std.frame.StdObjSpaceFrame.inst_w_yielding_from")     \
	X(WEAKREF_OBJECT, "pypy.module._weakref.interp__weakref.W_WeakrefBase.inst_w_obj_weak")   \
	X(CONTINULET_FRAME,                                                                       \
	  "pypy.module._continuation.interp_continuation.W_Continulet.inst_bottomframe")          \
	X(CONTINULET_STACKLET,                                                                    \
	  "pypy.module._continuation.interp_continuation.W_Continulet.inst_h")                    \
	X(CONTINULET_THREAD,                                                                      \
	  "pypy.module._continuation.interp_continuation.W_Continulet.inst_sthread")              \
	X(GENERATOR_QUALNAME, "pypy.interpreter.generator.GeneratorOrCoroutine.inst__qualname")   \
	X(GENERATOR_CODE,                                                                         \
	  "pypy.interpreter.generator.GeneratorOrCoroutine.inst_pycode|pypy.interpreter."         \
	  "generator.GeneratorIterator.inst_pycode")                                              \
	X(GENERATOR_FRAME,                                                                        \
	  "pypy.interpreter.generator.GeneratorOrCoroutine.inst_frame|pypy.interpreter."          \
	  "generator.GeneratorIterator.inst_frame")                                               \
	X(VIEW_DICT, "pypy.objspace.std.dictmultiobject.W_DictViewObject.inst_w_dict")            \
	X(PROXY_MAPPING, "pypy.objspace.std.dictproxyobject.W_DictProxyObject.inst_w_mapping")    \
	X(CDATA_TYPE, "pypy.module._cffi_backend.cdataobj.W_CData.inst_ctype")                    \
	X(CDATA_ADDRESS, "pypy.module._cffi_backend.cdataobj.W_CData.inst__ptr")                  \
	X(CDATA_KEPT, "pypy.module._cffi_backend.cdataobj.W_CDataHandle.inst_w_keepalive")        \
	X(CDATA_STRUCT,                                                                           \
	  "pypy.module._cffi_backend.cdataobj.W_CDataPtrToStructOrUnion.inst_structobj")          \
	X(CDATA_LENGTH,                                                                           \
	  "pypy.module._cffi_backend.cdataobj.W_CDataNewOwning.inst_allocated_length")            \
	X(CTYPE_SIZE, "pypy.module._cffi_backend.ctypeobj.W_CType.inst_size")                     \
	X(CTYPE_ITEM, "pypy.module._cffi_backend.ctypeptr.W_CTypePtrOrArray.inst_ctitem")         \
	X(CTYPE_NAME, "pypy.module._cffi_backend.ctypeobj.W_CType.inst_name")                     \
	X(EXCEPTION_ARGS, "pypy.module.exceptions.interp_exceptions.W_BaseException.inst_args_w") \
	X(EXCEPTION_CAUSE,                                                                        \
	  "pypy.module.exceptions.interp_exceptions.W_BaseException.inst_w_cause")                \
	X(EXCEPTION_CONTEXT,                                                                      \
	  "pypy.module.exceptions.interp_exceptions.W_BaseException.inst_w_context")              \
	X(EXCEPTION_TRACEBACK,                                                                    \
	  "pypy.module.exceptions.interp_exceptions.W_BaseException.inst_w_traceback")            \
	X(EXCEPTION_SUPPRESS,                                                                     \
	  "pypy.module.exceptions.interp_exceptions.W_BaseException.inst_suppress_context")       \
	X(EXCEPTION_DICT, "pypy.module.exceptions.interp_exceptions.W_BaseException.inst_w_dict") \
	X(OS_ERROR_ERRNO,                                                                         \
	  "pypy.module.exceptions.interp_exceptions.W_OSError.inst_w_errno|pypy.module."          \
	  "exceptions.interp_exceptions.W_EnvironmentError.inst_w_errno")                         \
	X(OS_ERROR_TEXT,                                                                          \
	  "pypy.module.exceptions.interp_exceptions.W_OSError.inst_w_strerror|pypy.module."       \
	  "exceptions.interp_exceptions.W_EnvironmentError.inst_w_strerror")                      \
	X(OS_ERROR_FILE,                                                                          \
	  "pypy.module.exceptions.interp_exceptions.W_OSError.inst_w_filename|pypy.module."       \
	  "exceptions.interp_exceptions.W_EnvironmentError.inst_w_filename")                      \
	X(OS_ERROR_FILE2, "pypy.module.exceptions.interp_exceptions.W_OSError.inst_w_filename2")  \
	X(SYSTEM_EXIT_CODE, "pypy.module.exceptions.interp_exceptions.W_SystemExit.inst_w_code")  \
	X(STOP_VALUE, "pypy.module.exceptions.interp_exceptions.W_StopIteration.inst_w_value")    \
	X(TRACEBACK_FRAME, "pypy.interpreter.pytraceback.PyTraceback.inst_frame")                 \
	X(TRACEBACK_LASTI, "pypy.interpreter.pytraceback.PyTraceback.inst_lasti")                 \
	X(TRACEBACK_NEXT, "pypy.interpreter.pytraceback.PyTraceback.inst_next")                   \
	X(OPERR_VALUE, "pypy.interpreter.error.OperationError.inst__w_value")                     \
	X(OPERR_TYPE, "pypy.interpreter.error.OperationError.inst_w_type")                        \
	X(OPERR_TRACEBACK, "pypy.interpreter.error.OperationError.inst__application_traceback")   \
	X(EC_OPERR, "pypy.interpreter.executioncontext.ExecutionContext.inst_sys_exc_operror")    \
	X(EC_PENDING, "pypy.interpreter.executioncontext.ExecutionContext.inst_cpyext_operror")   \
	X(FRAME_BLOCK, "pypy.interpreter.pyframe.PyFrame.inst_lastblock")                         \
	X(FRAME_DEPTH, "pypy.interpreter.pyframe.PyFrame.inst_valuestackdepth")                   \
	X(FRAME_FINISHED, "pypy.interpreter.pyframe.PyFrame.inst_frame_finished_execution")       \
	X(FRAME_EXCEPTION,                                                                        \
	  "pypy.interpreter.pyframe.PyFrame.inst_last_exception|pypy.objspace.std.frame."         \
	  "StdObjSpaceFrame.inst_last_exception")                                                 \
	X(BLOCK_PREVIOUS, "pypy.interpreter.pyopcode.FrameBlock.inst_previous")                   \
	X(RESTORER_OPERR, "pypy.interpreter.pyopcode.SysExcInfoRestorer.inst_operr")              \
	X(APP_EXCEPTION_OPERR, "pypy.interpreter.pyopcode.SApplicationException.inst_operr")      \
	X(TABLE_LIVE, "dicttable.num_live_items")                                                 \
	X(TABLE_USED, "dicttable.num_ever_used_items")                                            \
	X(TABLE_ENTRIES, "dicttable.entries")                                                     \
	X(MAP_TERMINATOR, "pypy.objspace.std.mapdict.AbstractAttribute.inst_terminator")          \
	X(TERMINATOR_CLASS, "pypy.objspace.std.mapdict.Terminator.inst_w_cls")                    \
	X(ATTRIBUTE_NAME, "pypy.objspace.std.mapdict.PlainAttribute.inst_name")                   \
	X(ATTRIBUTE_KIND, "pypy.objspace.std.mapdict.PlainAttribute.inst_attrkind|pypy.objspace." \
			  "std.mapdict.PlainAttribute.inst_index")                                \
	X(ATTRIBUTE_BACK, "pypy.objspace.std.mapdict.PlainAttribute.inst_back")                   \
	X(ATTRIBUTE_INDEX, "pypy.objspace.std.mapdict.PlainAttribute.inst_storageindex")          \
	X(ATTRIBUTE_LIST_INDEX, "pypy.objspace.std.mapdict.UnboxedPlainAttribute.inst_listindex") \
	X(ATTRIBUTE_TYPE, "pypy.objspace.std.mapdict.UnboxedPlainAttribute.inst_typ")             \
	X(TYPE_NAME, "pypy.objspace.std.typeobject.W_TypeObject.inst_name")                       \
	X(TYPE_QUALNAME, "pypy.objspace.std.typeobject.W_TypeObject.inst_qualname")               \
	X(TYPE_DICT, "pypy.objspace.std.typeobject.W_TypeObject.inst_dict_w")                     \
	X(TYPE_MRO, "pypy.objspace.std.typeobject.W_TypeObject.inst_mro_w")                       \
	X(TYPE_IS_HEAP, "pypy.objspace.std.typeobject.W_TypeObject.inst_flag_heaptype")           \
	X(TYPE_LAYOUT, "pypy.objspace.std.typeobject.W_TypeObject.inst_layout")                   \
	X(LAYOUT_TYPEDEF, "pypy.objspace.std.typeobject.Layout.inst_typedef")                     \
	X(FUNCTION_NAME, "pypy.interpreter.function.Function.inst_name")                          \
	X(FUNCTION_CODE, "pypy.interpreter.function.Function.inst_code")                          \
	X(FUNCTION_QUALNAME, "pypy.interpreter.function.Function.inst_qualname")                  \
	X(METHOD_FUNCTION,                                                                        \
	  "pypy.interpreter.function._Method.inst_w_function|pypy.interpreter.function.Method."   \
	  "inst_w_function")                                                                      \
	X(METHOD_INSTANCE,                                                                        \
	  "pypy.interpreter.function._Method.inst_w_instance|pypy.interpreter.function.Method."   \
	  "inst_w_instance")                                                                      \
	X(MODULE_DICT, "pypy.interpreter.module.Module.inst_w_dict")                              \
	X(MODULE_NAME, "pypy.interpreter.module.Module.inst_w_name")                              \
	X(MUTABLE_CELL_VALUE, "pypy.objspace.std.typeobject.ObjectMutableCell.inst_w_value")      \
	X(MUTABLE_CELL_INT, "pypy.objspace.std.typeobject.IntMutableCell.inst_intvalue")

#define SCRY_PYPY_FIELD_DESCR "rpython.jit.backend.llsupport.descr.FieldDescr"

#define SCRY_PYPY_CLASS_NAME(name, text) SCRY_PYPY_CLASS_##name,
enum scry_pypy_class { SCRY_PYPY_CLASSES(SCRY_PYPY_CLASS_NAME) SCRY_PYPY_CLASS_COUNT };
#define SCRY_PYPY_FIELD_NAME(name, text) SCRY_PYPY_##name,
enum scry_pypy_field { SCRY_PYPY_FIELDS(SCRY_PYPY_FIELD_NAME) SCRY_PYPY_FIELD_COUNT };

struct scry_pypy_shape;

/** A type of the collector's table. */
struct scry_pypy_type {
	uint32_t tid;
	/* "pypy.interpreter.pyframe.PyFrame"; of arrays what the list says; never NULL */
	const char *name;
	const char *members; /* "super, vable_token, inst_space ..." in memory order, or "" */
	/* subclasses have their class_min in [min, max); both 0: no class */
	uint64_t class_min, class_max;
	/* where its objects have pointers, NULL not asked yet: pypy_trace.c */
	const struct scry_pypy_shape *shape;
};

struct scry_pypy_jit;

/** The GIL: the word with its holder's id, the mutexes that others sleep on; 0: not found. */
struct scry_pypy_gil {
	scry_addr word, mutex[2];
};

struct scry_pypy {
	struct scry_runtime *runtime;
	scry_addr start, end; /* the module, zeroed data included */
	scry_addr gcdata;     /* where it names the list of types */
	/* where young objects are, and from where on it is free; 0: not found */
	scry_addr nursery, nursery_free, nursery_end;
	scry_addr nursery_named;      /* the collector's field of it; 0: not found */
	bool minor;                   /* an allocation found it full: a minor collection runs */
	scry_addr group;              /* type_info of tid 0 */
	char *text;                   /* the list of types, cut up */
	struct scry_pypy_type *types; /* by member number */
	size_t type_count;
	struct scry_hash by_tid, by_name;
	struct scry_slot field[SCRY_PYPY_FIELD_COUNT];
	struct scry_hash names; /* of fields by type and place, where they were asked for */
	bool names_done;
	struct scry_hash maps; /* "inst_map" of user classes: offset + 1 by tid */
	uint64_t min[SCRY_PYPY_CLASS_COUNT], max[SCRY_PYPY_CLASS_COUNT];
	const struct scry_pypy_type *class[SCRY_PYPY_CLASS_COUNT]; /* NULL: it has no such */
	uint32_t string, vref, jitframe;                           /* tids */
	scry_addr threads; /* the head of the list of threads */
	struct scry_pypy_gil gil;
	scry_addr code_descr; /* the FieldDescr of a frame's code */
	/* type objects by what their instances' vtables name; the object layer's */
	struct scry_hash classes;
	unsigned typedef_at; /* where a vtable names it; 0: not known */
	bool classes_done;
	struct scry_pypy_codemap *codemap; /* NULL: not read yet */
	struct scry_pypy_jit *jit;         /* what was built from resume data, or NULL */
	/* what the object layer knows of each byte code; NULL not asked, or not found */
	const char **opcodes;
	bool opcodes_done;
};

/** Load the description of the types; SCRY_ENOTFOUND where the module has none. */
int scry_pypy_load(struct scry_pypy *p, struct scry_module *m);
/** Find the fields. SCRY_EUNSUPPORTED (scry_fail names it) where a needed one is missing. */
int scry_pypy_load_fields(struct scry_pypy *p);
/** The dict object sys.modules; 0: not found. */
scry_addr scry_pypy_modules(struct scry_pypy *p);
void scry_pypy_done(struct scry_pypy *p);

/** Up to `count` words of 8 bytes, as the target means them; how many came, as scry_read_some(). */
size_t scry_pypy_words(struct scry_pypy *p, scry_addr at, uint64_t *to, size_t count);
/**
 * Call `word` for each 8-aligned word of the module's writable memory, but holes of zeros in the
 * dump's file, from the lowest address on; ends early where it says false, or the call was stopped.
 */
void scry_pypy_visit(struct scry_pypy *p, bool (*word)(void *arg, scry_addr at, uint64_t value),
		     void *arg);

/**
 * Call `found` for each 8-aligned word of the module's writable memory that `wanted` is the low
 * half of.
 */
struct scry_pypy_scan {
	struct scry_pypy *pypy;
	uint32_t low;
	bool (*found)(struct scry_pypy_scan *scan, scry_addr at); /* false: enough */
	void *arg;
};
/** From the lowest address on; ends early where `found` says so, or the call was stopped. */
void scry_pypy_scan(struct scry_pypy_scan *scan);

/**
 * The type of the object at `addr`, where a moving collector has put it (*addr follows); NULL: none
 * is there.
 */
const struct scry_pypy_type *scry_pypy_type_of(struct scry_pypy *p, scry_addr *addr);
/** By its full RPython name; NULL where there is none. */
const struct scry_pypy_type *scry_pypy_type_named(struct scry_pypy *p, const char *name);
bool scry_pypy_is(struct scry_pypy *p, const struct scry_pypy_type *t, enum scry_pypy_class c);
/** A field's value: zero-extended; SCRY_ENOFIELD where the build has no such field. */
int scry_pypy_read(struct scry_pypy *p, scry_addr object, enum scry_pypy_field f, uint64_t *ret);
uint64_t scry_pypy_get(struct scry_pypy *p, scry_addr object, enum scry_pypy_field f);
/** RPython's name of the field at an offset, without "inst_"; NULL: the JIT knows none there. */
const char *scry_pypy_field_at(struct scry_pypy *p, const struct scry_pypy_type *t,
			       uint64_t offset);
/** The bytes of an rpy_string: a copy in the arena, cut at `max`. */
int scry_pypy_string(struct scry_pypy *p, scry_addr string, size_t max, const char **ret,
		     size_t *ret_len);
/** The text of a str or bytes object, or of an rpy_string. */
int scry_pypy_text_at(struct scry_runtime *r, scry_addr str, size_t max, const char **ret);
/* --- where objects live (pypy_heap.c) --- */
/**
 * GCFLAG_* of incminimark are above 32 bits of type; thirteen are in use. Of a young object that
 * may not be moved: PINNED.
 */
#define SCRY_PYPY_FLAGS  ((uint64_t)0x1fff << 32)
#define SCRY_PYPY_PINNED ((uint64_t)1 << 41)
enum scry_pypy_place {
	SCRY_PYPY_PREBUILT, /* in the module: never moves */
	SCRY_PYPY_YOUNG,    /* in the nursery: a collection moves it */
	SCRY_PYPY_OLD,      /* moves no more */
	SCRY_PYPY_VIRTUAL   /* made here from the JIT's resume data */
};
/** Find the nursery; to be called again after the target has run. */
void scry_pypy_load_heap(struct scry_pypy *p);
/** The place of an address at which there is an object. */
enum scry_pypy_place scry_pypy_place_of(const struct scry_pypy *p, scry_addr addr);
/**
 * Is there an object at an address of which nothing is known? Its header must have an existing type
 * and valid flags, and its pointers must lead to objects. Where it was moved, its new place is
 * checked.
 */
bool scry_pypy_stands(struct scry_pypy *p, scry_addr addr);
/** A page of an arena, whose blocks have one size. */
struct scry_pypy_page {
	scry_addr start, first; /* and where its first block is */
	uint64_t size;
};
/** The page that has an address; false: it is in none. */
bool scry_pypy_page_of(struct scry_pypy *p, scry_addr addr, struct scry_pypy_page *ret);
/** Is a block of it free? */
bool scry_pypy_is_free(struct scry_pypy *p, const struct scry_pypy_page *page, scry_addr block);
/** Bytes of an object, header and items included; 0 unknown. */
uint64_t scry_pypy_size_of(struct scry_pypy *p, const struct scry_pypy_type *t, scry_addr addr);

/** Length and first item of a GcArray; bounded. */
int scry_pypy_array(struct scry_pypy *p, scry_addr array, uint64_t *ret_count,
		    scry_addr *ret_items);

/* --- containers of RPython (pypy_table.c) --- */
/** An item of a container: an object, or a machine word that a strategy keeps in its place. */
struct scry_pypy_item {
	enum scry_pypy_kind {
		SCRY_PYPY_OBJECT,
		SCRY_PYPY_INTEGER,
		SCRY_PYPY_FLOAT,
		SCRY_PYPY_INT_OR_FLOAT,
		SCRY_PYPY_STR,
		SCRY_PYPY_BYTES
	} kind;
	uint64_t bits; /* an address, of an rpy_string too; or the word itself */
};

/** A walk over the entries of an RPython dictionary, in order. */
struct scry_pypy_table {
	struct scry_pypy *pypy;
	scry_addr entries;
	uint64_t used, live, shown;
	/* bytes from an entry's start; 0: the entries have none */
	unsigned entry_size, valid_at, value_at;
	enum scry_pypy_kind key, value;
	bool deleted_unknown; /* some entries are deleted, and nothing says which */
};

/** Open a dicttable; `bytes`: its strings are bytes objects, not text. */
int scry_pypy_table_open(struct scry_pypy *p, scry_addr table, bool bytes,
			 struct scry_pypy_table *ret);
int scry_pypy_table_next(struct scry_pypy_table *t, uint64_t *it, struct scry_pypy_item *ret_key,
			 struct scry_pypy_item *ret_value);
/**
 * Items of a GcArray, or of an RPython list of one: what kind they are, where the first stands, how
 * many.
 */
int scry_pypy_items_open(struct scry_pypy *p, scry_addr storage, bool bytes,
			 enum scry_pypy_kind *ret_kind, scry_addr *ret_items, uint64_t *ret_count);

/**
 * An item as an object: what has none is made one here, where the target has no memory. 0: out of
 * room.
 */
scry_addr scry_pypy_boxed(struct scry_pypy *p, struct scry_pypy_item item);

/** A thread's ExecutionContext by its thread-local state; 0: it runs no Python. */
scry_addr scry_pypy_context(struct scry_pypy *p, scry_addr state);

/** The states of threads, in order: 0 is before the first, and after the last. */
int scry_pypy_next_state(struct scry_interp *interp, scry_addr state, scry_addr *ret);
/** Where a state has the thread's id. */
#define SCRY_PYPY_IDENT 56

/* --- the GIL (pypy_gil.c) --- */
/** Find it by the code that takes it; nothing where that is not there, or another machine's. */
void scry_pypy_find_gil(struct scry_pypy *p);
/** Set the interpreter's gil_holder; to be called again after the target has run. */
void scry_pypy_load_gil(struct scry_pypy *p);
/** Does a thread of the OS sleep until it gets the GIL? False where that is not known. */
bool scry_pypy_waits_for_gil(const struct scry_thread *t);

/* --- code objects (pypy_code.c): members of the strategy --- */
struct scry_line_table;
void scry_pypy_code_whole(struct scry_code *c);
/** Where the bytes of an rpy_string are, and how many; false where it is not one. */
bool scry_pypy_bytes_of(struct scry_pypy *p, scry_addr string, scry_addr *ret, uint64_t *ret_size);
/** The name of numbers that no instruction has: pypy/tool/stdlib_opcode.py, all versions. */
#define SCRY_PYPY_NO_OPCODE "MISSING_OPCODE"
/**
 * The array of 256 rpy_strings that name the byte codes, which the JIT keeps to tell where it is;
 * 0: not found.
 */
scry_addr scry_pypy_opcode_names(struct scry_pypy *p);
/** Line tables of before 3.11, and of it. */
int scry_pypy_line_from_lnotab(const struct scry_line_table *t, int64_t lasti,
			       struct scry_location *ret);
int scry_pypy_line_from_linetable(const struct scry_line_table *t, int64_t lasti,
				  struct scry_location *ret);

#endif
