//! The table of instructions: each opcode once.
//!
//! A row reads
//!
//! ```text
//!   number  NAME  [operands]  (popped => pushed)  path::of::function
//! ```
//!
//! `popped` and `pushed` count cells and are `_` where they depend on operands or on the callee. Operands are
//! [`Operand`]s; the length of an instruction follows from them and from the layout. Dispatch ([`crate::dispatch`]),
//! the disassembler, traces and documentation are made from this table by [`for_each_opcode`]. A number that is not
//! here has no machine code: it calls its UFN, the Lisp function that the image names for it.

use crate::layout::Layout;

/// What follows an opcode in the code stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// One byte: a count, a slot, a sub-opcode.
    Byte,
    /// A signed byte: a distance.
    Signed,
    /// Two bytes, most significant first.
    Word,
    /// A symbol: 3 bytes in Medley 2.0, 4 in Medley 3.5.
    Atom,
    /// A pointer: as long as a symbol.
    Pointer,
}

impl Operand {
    /// Bytes in the code stream.
    pub const fn length<L: Layout>(self) -> u32 {
        match self {
            Operand::Byte | Operand::Signed => 1,
            Operand::Word => 2,
            Operand::Atom | Operand::Pointer => L::ATOM_BYTES,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Opcode {
    /// The byte in the code stream.
    pub number: u8,
    /// The name Medley's compiler gives it.
    pub name: &'static str,
    /// What follows it.
    pub operands: &'static [Operand],
    /// Cells it takes from the stack, `None` where that varies.
    pub pops: Option<u8>,
    /// Cells it leaves on the stack, `None` where that varies.
    pub pushes: Option<u8>,
}

impl Opcode {
    /// Bytes of the whole instruction.
    pub const fn length<L: Layout>(&self) -> u32 {
        let mut sum = 1;
        let mut i = 0;
        while i < self.operands.len() {
            sum += self.operands[i].length::<L>();
            i += 1;
        }
        sum
    }
}

/// Passes every row of the table to the macro it is given.
macro_rules! for_each_opcode {
    ($callback:ident) => {
        $callback! {
            0o001 CAR [] (1 => 1) crate::lists::car::<L>;
            0o002 CDR [] (1 => 1) crate::lists::cdr::<L>;
            0o003 LISTP [] (1 => 1) crate::objects::listp::<L>;
            0o004 NTYPX [] (1 => 1) crate::objects::ntypx::<L>;
            0o005 TYPEP [Byte] (1 => 1) crate::objects::typep::<L>;
            0o006 DTEST [Atom] (1 => 1) crate::objects::dtest::<L>;
            0o007 UNWIND [Byte, Byte] (_ => _) crate::binding::unwind::<L>;
            0o010 FN0 [Atom] (0 => 1) crate::calls::function::<L, 0>;
            0o011 FN1 [Atom] (1 => 1) crate::calls::function::<L, 1>;
            0o012 FN2 [Atom] (2 => 1) crate::calls::function::<L, 2>;
            0o013 FN3 [Atom] (3 => 1) crate::calls::function::<L, 3>;
            0o014 FN4 [Atom] (4 => 1) crate::calls::function::<L, 4>;
            0o015 FNX [Byte, Atom] (_ => 1) crate::calls::function_n::<L>;
            0o016 APPLYFN [] (_ => 1) crate::calls::apply::<L>;
            0o017 CHECKAPPLY [] (1 => 1) crate::calls::check_apply::<L>;
            0o020 RETURN [] (1 => 0) crate::calls::return_value::<L>;
            0o021 BIND [Byte, Byte] (_ => _) crate::binding::bind::<L>;
            0o022 UNBIND [] (_ => 1) crate::binding::unbind::<L>;
            0o023 DUNBIND [] (_ => 0) crate::binding::dunbind::<L>;
            0o024 RPLPTR [Byte] (2 => 1) crate::collector::rplptr::<L>;
            0o025 GCREF [Byte] (1 => 1) crate::collector::gcref::<L>;
            0o026 ASSOC [] (2 => 1) crate::lists::assoc::<L>;
            0o027 GVAR_ [Atom] (1 => 1) crate::free_variables::set_gvar::<L>;
            0o030 RPLACA [] (2 => 1) crate::lists::rplaca::<L>;
            0o031 RPLACD [] (2 => 1) crate::lists::rplacd::<L>;
            0o032 CONS [] (2 => 1) crate::lists::cons::<L>;
            0o033 CLASSOC [] (2 => 1) crate::lists::cl_assoc::<L>;
            0o034 FMEMB [] (2 => 1) crate::lists::fmemb::<L>;
            0o035 CLFMEMB [] (2 => 1) crate::lists::cl_fmemb::<L>;
            0o036 FINDKEY [Byte] (1 => 1) crate::binding::find_key::<L>;
            0o037 CREATECELL [] (1 => 1) crate::objects::create_cell::<L>;
            0o040 BIN [] (1 => 1) crate::bases::bin::<L>;
            0o043 RESTLIST [Byte] (2 => 1) crate::binding::rest_list::<L>;
            0o044 MISCN [Byte, Byte] (_ => 1) crate::misc::miscn::<L>;
            0o046 RPLCONS [] (2 => 1) crate::lists::rplcons::<L>;
            0o047 LISTGET [] (2 => 1) crate::lists::list_get::<L>;
            0o054 EVAL [] (1 => 1) crate::calls::eval::<L>;
            0o055 ENVCALL [] (_ => 1) crate::calls::env_call::<L>;
            0o056 TYPECHECK [Atom] (1 => 1) crate::objects::dtest::<L>;
            0o057 STKSCAN [] (1 => 1) crate::free_variables::stk_scan::<L>;
            0o062 UBFLOAT3 [Byte] (3 => 1) crate::floats::unboxed_3::<L>;
            0o063 TYPEMASK [Byte] (1 => 1) crate::objects::type_mask::<L>;
            0o070 MISC7 [Byte] (7 => 1) crate::misc::misc7::<L>;
            0o071 DOVEMISC [Byte] (_ => _) crate::misc::dove_misc::<L>;
            0o072 EQL [] (2 => 1) crate::compare::eql::<L>;
            0o073 DRAWLINE [] (9 => 1) crate::display::drawing::draw_line::<L>;
            0o074 STOREN [Byte] (1 => 1) crate::variables::store_n::<L>;
            0o075 COPYN [Byte] (0 => 1) crate::variables::copy_n::<L>;
            0o100 IVAR0 [] (0 => 1) crate::variables::ivar::<L, 0>;
            0o101 IVAR1 [] (0 => 1) crate::variables::ivar::<L, 1>;
            0o102 IVAR2 [] (0 => 1) crate::variables::ivar::<L, 2>;
            0o103 IVAR3 [] (0 => 1) crate::variables::ivar::<L, 3>;
            0o104 IVAR4 [] (0 => 1) crate::variables::ivar::<L, 4>;
            0o105 IVAR5 [] (0 => 1) crate::variables::ivar::<L, 5>;
            0o106 IVAR6 [] (0 => 1) crate::variables::ivar::<L, 6>;
            0o107 IVARX [Byte] (0 => 1) crate::variables::ivar_x::<L>;
            0o110 PVAR0 [] (0 => 1) crate::variables::pvar::<L, 0>;
            0o111 PVAR1 [] (0 => 1) crate::variables::pvar::<L, 1>;
            0o112 PVAR2 [] (0 => 1) crate::variables::pvar::<L, 2>;
            0o113 PVAR3 [] (0 => 1) crate::variables::pvar::<L, 3>;
            0o114 PVAR4 [] (0 => 1) crate::variables::pvar::<L, 4>;
            0o115 PVAR5 [] (0 => 1) crate::variables::pvar::<L, 5>;
            0o116 PVAR6 [] (0 => 1) crate::variables::pvar::<L, 6>;
            0o117 PVARX [Byte] (0 => 1) crate::variables::pvar_x::<L>;
            0o120 FVAR0 [] (0 => 1) crate::free_variables::fvar::<L, 0>;
            0o121 FVAR1 [] (0 => 1) crate::free_variables::fvar::<L, 2>;
            0o122 FVAR2 [] (0 => 1) crate::free_variables::fvar::<L, 4>;
            0o123 FVAR3 [] (0 => 1) crate::free_variables::fvar::<L, 6>;
            0o124 FVAR4 [] (0 => 1) crate::free_variables::fvar::<L, 8>;
            0o125 FVAR5 [] (0 => 1) crate::free_variables::fvar::<L, 10>;
            0o126 FVAR6 [] (0 => 1) crate::free_variables::fvar::<L, 12>;
            0o127 FVARX [Byte] (0 => 1) crate::free_variables::fvar_x::<L>;
            0o130 PVAR_0 [] (1 => 1) crate::variables::set_pvar::<L, 0>;
            0o131 PVAR_1 [] (1 => 1) crate::variables::set_pvar::<L, 1>;
            0o132 PVAR_2 [] (1 => 1) crate::variables::set_pvar::<L, 2>;
            0o133 PVAR_3 [] (1 => 1) crate::variables::set_pvar::<L, 3>;
            0o134 PVAR_4 [] (1 => 1) crate::variables::set_pvar::<L, 4>;
            0o135 PVAR_5 [] (1 => 1) crate::variables::set_pvar::<L, 5>;
            0o136 PVAR_6 [] (1 => 1) crate::variables::set_pvar::<L, 6>;
            0o137 PVARX_ [Byte] (1 => 1) crate::variables::set_pvar_x::<L>;
            0o140 GVAR [Atom] (0 => 1) crate::variables::gvar::<L>;
            0o141 ARG0 [] (1 => 1) crate::binding::arg0::<L>;
            0o142 IVARX_ [Byte] (1 => 1) crate::variables::set_ivar_x::<L>;
            0o143 FVARX_ [Byte] (1 => 1) crate::free_variables::set_fvar_x::<L>;
            0o144 COPY [] (1 => 2) crate::variables::copy::<L>;
            0o145 MYARGCOUNT [] (0 => 1) crate::binding::my_arg_count::<L>;
            0o146 MYALINK [] (0 => 1) crate::binding::my_alink::<L>;
            0o147 ACONST [Atom] (0 => 1) crate::variables::atom_constant::<L>;
            0o150 NIL [] (0 => 1) crate::variables::constant::<L, 0>;
            0o151 T [] (0 => 1) crate::variables::constant::<L, 0o114>;
            0o152 ZERO [] (0 => 1) crate::variables::constant::<L, 0xE0000>;
            0o153 ONE [] (0 => 1) crate::variables::constant::<L, 0xE0001>;
            0o154 SIC [Byte] (0 => 1) crate::variables::small_constant::<L>;
            0o155 SNIC [Byte] (0 => 1) crate::variables::small_negative_constant::<L>;
            0o156 SICX [Word] (0 => 1) crate::variables::word_constant::<L>;
            0o157 GCONST [Pointer] (0 => 1) crate::variables::pointer_constant::<L>;
            0o166 PILOTBITBLT [] (2 => 1) crate::display::bitblt::pilot_bitblt::<L>;
            0o167 RCLK [] (1 => 1) crate::misc::rclk::<L>;
            0o172 RECLAIMCELL [] (1 => 1) crate::collector::reclaim_cell_op::<L>;
            0o173 GCSCAN1 [] (1 => 1) crate::collector::gc_scan_1::<L>;
            0o174 GCSCAN2 [] (1 => 1) crate::collector::gc_scan_2::<L>;
            0o175 SUBRCALL [Byte, Byte] (_ => 1) crate::subrs::subr_call::<L>;
            0o176 CONTEXTSWITCH [] (1 => 1) crate::context::context_switch::<L>;
            0o200 JUMP2 [] (0 => 0) crate::jumps::jump::<L, 2>;
            0o201 JUMP3 [] (0 => 0) crate::jumps::jump::<L, 3>;
            0o202 JUMP4 [] (0 => 0) crate::jumps::jump::<L, 4>;
            0o203 JUMP5 [] (0 => 0) crate::jumps::jump::<L, 5>;
            0o204 JUMP6 [] (0 => 0) crate::jumps::jump::<L, 6>;
            0o205 JUMP7 [] (0 => 0) crate::jumps::jump::<L, 7>;
            0o206 JUMP8 [] (0 => 0) crate::jumps::jump::<L, 8>;
            0o207 JUMP9 [] (0 => 0) crate::jumps::jump::<L, 9>;
            0o210 JUMP10 [] (0 => 0) crate::jumps::jump::<L, 10>;
            0o211 JUMP11 [] (0 => 0) crate::jumps::jump::<L, 11>;
            0o212 JUMP12 [] (0 => 0) crate::jumps::jump::<L, 12>;
            0o213 JUMP13 [] (0 => 0) crate::jumps::jump::<L, 13>;
            0o214 JUMP14 [] (0 => 0) crate::jumps::jump::<L, 14>;
            0o215 JUMP15 [] (0 => 0) crate::jumps::jump::<L, 15>;
            0o216 JUMP16 [] (0 => 0) crate::jumps::jump::<L, 16>;
            0o217 JUMP17 [] (0 => 0) crate::jumps::jump::<L, 17>;
            0o220 FJUMP2 [] (1 => 0) crate::jumps::jump_if_nil::<L, 2>;
            0o221 FJUMP3 [] (1 => 0) crate::jumps::jump_if_nil::<L, 3>;
            0o222 FJUMP4 [] (1 => 0) crate::jumps::jump_if_nil::<L, 4>;
            0o223 FJUMP5 [] (1 => 0) crate::jumps::jump_if_nil::<L, 5>;
            0o224 FJUMP6 [] (1 => 0) crate::jumps::jump_if_nil::<L, 6>;
            0o225 FJUMP7 [] (1 => 0) crate::jumps::jump_if_nil::<L, 7>;
            0o226 FJUMP8 [] (1 => 0) crate::jumps::jump_if_nil::<L, 8>;
            0o227 FJUMP9 [] (1 => 0) crate::jumps::jump_if_nil::<L, 9>;
            0o230 FJUMP10 [] (1 => 0) crate::jumps::jump_if_nil::<L, 10>;
            0o231 FJUMP11 [] (1 => 0) crate::jumps::jump_if_nil::<L, 11>;
            0o232 FJUMP12 [] (1 => 0) crate::jumps::jump_if_nil::<L, 12>;
            0o233 FJUMP13 [] (1 => 0) crate::jumps::jump_if_nil::<L, 13>;
            0o234 FJUMP14 [] (1 => 0) crate::jumps::jump_if_nil::<L, 14>;
            0o235 FJUMP15 [] (1 => 0) crate::jumps::jump_if_nil::<L, 15>;
            0o236 FJUMP16 [] (1 => 0) crate::jumps::jump_if_nil::<L, 16>;
            0o237 FJUMP17 [] (1 => 0) crate::jumps::jump_if_nil::<L, 17>;
            0o240 TJUMP2 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 2>;
            0o241 TJUMP3 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 3>;
            0o242 TJUMP4 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 4>;
            0o243 TJUMP5 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 5>;
            0o244 TJUMP6 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 6>;
            0o245 TJUMP7 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 7>;
            0o246 TJUMP8 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 8>;
            0o247 TJUMP9 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 9>;
            0o250 TJUMP10 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 10>;
            0o251 TJUMP11 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 11>;
            0o252 TJUMP12 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 12>;
            0o253 TJUMP13 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 13>;
            0o254 TJUMP14 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 14>;
            0o255 TJUMP15 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 15>;
            0o256 TJUMP16 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 16>;
            0o257 TJUMP17 [] (1 => 0) crate::jumps::jump_unless_nil::<L, 17>;
            0o260 JUMPX [Signed] (0 => 0) crate::jumps::jump_x::<L>;
            0o261 JUMPXX [Word] (0 => 0) crate::jumps::jump_xx::<L>;
            0o262 FJUMPX [Signed] (1 => 0) crate::jumps::jump_x_if_nil::<L>;
            0o263 TJUMPX [Signed] (1 => 0) crate::jumps::jump_x_unless_nil::<L>;
            0o264 NFJUMPX [Signed] (1 => _) crate::jumps::jump_x_if_nil_keep::<L>;
            0o265 NTJUMPX [Signed] (1 => _) crate::jumps::jump_x_unless_nil_keep::<L>;
            0o266 AREF1 [] (2 => 1) crate::arrays::aref1::<L>;
            0o267 ASET1 [] (3 => 1) crate::arrays::aset1::<L>;
            0o270 PVARSETPOP0 [] (1 => 0) crate::variables::set_pvar_pop::<L, 0>;
            0o271 PVARSETPOP1 [] (1 => 0) crate::variables::set_pvar_pop::<L, 1>;
            0o272 PVARSETPOP2 [] (1 => 0) crate::variables::set_pvar_pop::<L, 2>;
            0o273 PVARSETPOP3 [] (1 => 0) crate::variables::set_pvar_pop::<L, 3>;
            0o274 PVARSETPOP4 [] (1 => 0) crate::variables::set_pvar_pop::<L, 4>;
            0o275 PVARSETPOP5 [] (1 => 0) crate::variables::set_pvar_pop::<L, 5>;
            0o276 PVARSETPOP6 [] (1 => 0) crate::variables::set_pvar_pop::<L, 6>;
            0o277 POP [] (1 => 0) crate::variables::pop::<L>;
            0o300 POPN [Byte] (_ => 0) crate::variables::pop_n::<L>;
            0o301 ATOMCELL_N [Byte] (1 => 1) crate::objects::atom_cell::<L>;
            0o302 GETBASEBYTE [] (2 => 1) crate::bases::get_base_byte::<L>;
            0o303 INSTANCEP [Atom] (1 => 1) crate::objects::instancep::<L>;
            0o304 BLT [] (3 => 1) crate::bases::blt::<L>;
            0o307 PUTBASEBYTE [] (3 => 1) crate::bases::put_base_byte::<L>;
            0o310 GETBASE_N [Byte] (1 => 1) crate::bases::get_base::<L>;
            0o311 GETBASEPTR_N [Byte] (1 => 1) crate::bases::get_base_ptr::<L>;
            0o312 GETBITS_N_FD [Byte, Byte] (1 => 1) crate::bases::get_bits::<L>;
            0o314 CMLEQUAL [] (2 => 1) crate::compare::cl_equal::<L>;
            0o315 PUTBASE_N [Byte] (2 => 1) crate::bases::put_base::<L>;
            0o316 PUTBASEPTR_N [Byte] (2 => 1) crate::bases::put_base_ptr::<L>;
            0o317 PUTBITS_N_FD [Byte, Byte] (2 => 1) crate::bases::put_bits::<L>;
            0o320 ADDBASE [] (2 => 1) crate::bases::add_base::<L>;
            0o321 VAG2 [] (2 => 1) crate::bases::vag2::<L>;
            0o322 HILOC [] (1 => 1) crate::bases::hi_loc::<L>;
            0o323 LOLOC [] (1 => 1) crate::bases::lo_loc::<L>;
            0o324 PLUS2 [] (2 => 1) crate::integers::plus::<L>;
            0o325 DIFFERENCE [] (2 => 1) crate::integers::difference::<L>;
            0o326 TIMES2 [] (2 => 1) crate::integers::times::<L>;
            0o327 QUOTIENT [] (2 => 1) crate::integers::quotient::<L>;
            0o330 IPLUS2 [] (2 => 1) crate::integers::iplus::<L>;
            0o331 IDIFFERENCE [] (2 => 1) crate::integers::idifference::<L>;
            0o332 ITIMES2 [] (2 => 1) crate::integers::itimes::<L>;
            0o333 IQUOTIENT [] (2 => 1) crate::integers::iquotient::<L>;
            0o334 IREMAINDER [] (2 => 1) crate::integers::iremainder::<L>;
            0o335 IPLUS_N [Byte] (1 => 1) crate::integers::iplus_n::<L>;
            0o336 IDIFFERENCE_N [Byte] (1 => 1) crate::integers::idifference_n::<L>;
            0o340 LLSH1 [] (1 => 1) crate::integers::shift_left_1::<L>;
            0o341 LLSH8 [] (1 => 1) crate::integers::shift_left_8::<L>;
            0o342 LRSH1 [] (1 => 1) crate::integers::shift_right_1::<L>;
            0o343 LRSH8 [] (1 => 1) crate::integers::shift_right_8::<L>;
            0o344 LOGOR2 [] (2 => 1) crate::integers::log_or::<L>;
            0o345 LOGAND2 [] (2 => 1) crate::integers::log_and::<L>;
            0o346 LOGXOR2 [] (2 => 1) crate::integers::log_xor::<L>;
            0o347 LSH [] (2 => 1) crate::integers::shift::<L>;
            0o350 FPLUS2 [] (2 => 1) crate::floats::plus::<L>;
            0o351 FDIFFERENCE [] (2 => 1) crate::floats::difference::<L>;
            0o352 FTIMES2 [] (2 => 1) crate::floats::times::<L>;
            0o353 FQUOTIENT [] (2 => 1) crate::floats::quotient::<L>;
            0o354 UBFLOAT2 [Byte] (2 => 1) crate::floats::unboxed_2::<L>;
            0o355 UBFLOAT1 [Byte] (1 => 1) crate::floats::unboxed_1::<L>;
            0o356 AREF2 [] (3 => 1) crate::arrays::aref2::<L>;
            0o357 ASET2 [] (4 => 1) crate::arrays::aset2::<L>;
            0o360 EQ [] (2 => 1) crate::compare::eq::<L>;
            0o361 IGREATERP [] (2 => 1) crate::compare::igreaterp::<L>;
            0o362 FGREATERP [] (2 => 1) crate::floats::fgreaterp::<L>;
            0o363 GREATERP [] (2 => 1) crate::compare::greaterp::<L>;
            0o364 EQUAL [] (2 => 1) crate::compare::equal::<L>;
            0o365 MAKENUMBER [] (2 => 1) crate::integers::make_number::<L>;
            0o366 BOXIPLUS [] (2 => 1) crate::integers::box_iplus::<L>;
            0o367 BOXIDIFFERENCE [] (2 => 1) crate::integers::box_idifference::<L>;
            0o372 MISC3 [Byte] (3 => 1) crate::misc::misc3::<L>;
            0o373 MISC4 [Byte] (4 => 1) crate::misc::misc4::<L>;
            0o375 SWAP [] (2 => 2) crate::variables::swap::<L>;
            0o376 NOP [] (0 => 0) crate::variables::nop::<L>;
            0o377 CL_EQUAL [] (2 => 1) crate::compare::cl_arith_equal::<L>;
        }
    };
}
pub(crate) use for_each_opcode;

macro_rules! count {
    (_) => {
        None
    };
    ($n:literal) => {
        Some($n)
    };
}

macro_rules! rows {
    ($($number:literal $name:ident [$($operand:ident),*] ($pops:tt => $pushes:tt) $path:path;)*) => {
        /// All opcodes with machine code, in order of number.
        pub const OPCODES: &[Opcode] = &[$(Opcode {
            number: $number,
            name: stringify!($name),
            operands: &[$(Operand::$operand),*],
            pops: count!($pops),
            pushes: count!($pushes),
        }),*];
    };
}
for_each_opcode!(rows);

/// The row of an opcode, if it has machine code.
pub fn opcode(number: u8) -> Option<&'static Opcode> {
    OPCODES.binary_search_by_key(&number, |row| row.number).ok().map(|i| &OPCODES[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use std::fmt::Write;
    use std::path::Path;
    use std::string::String;
    use std::vec::Vec;
    use std::{format, fs};

    #[test]
    fn rows_are_in_order_and_once() {
        assert!(OPCODES.windows(2).all(|pair| pair[0].number < pair[1].number));
    }

    #[test]
    fn rows_are_found() {
        assert_eq!(opcode(0o010).map(|row| row.name), Some("FN0"));
        assert!(opcode(0).is_none());
    }

    macro_rules! paths {
        ($($number:literal $name:ident [$($operand:ident),*] ($pops:tt => $pushes:tt) $path:path;)*) => {
            /// The function of each row.
            const PATHS: &[&str] = &[$(stringify!($path)),*];
        };
    }
    for_each_opcode!(paths);

    /// The file of a function of the table, below `src`, and the function's name.
    fn source(path: &str) -> (String, String) {
        let path = path.replace(' ', "");
        let path = path.split("::<").next().unwrap();
        let (module, function) = path.trim_start_matches("crate::").rsplit_once("::").unwrap();
        (module.replace("::", "/"), function.into())
    }

    /// The comment on a function, as one line.
    fn comment(module: &str, function: &str) -> Option<String> {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folder = src.join(module);
        let mut files = Vec::from([src.join(format!("{module}.rs"))]);
        if folder.is_dir() {
            files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        }
        let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
        texts.into_iter().find_map(|text| {
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let at = lines.iter().position(|line| {
                line.starts_with(&format!("pub(crate) fn {function}<")) || line.starts_with(&format!("{function}, "))
            })?;
            let before = lines[..at].iter().rev().skip_while(|line| line.starts_with("#["));
            let mut comment: Vec<&str> = before.take_while(|line| line.starts_with("///")).copied().collect();
            comment.reverse();
            let paragraph = comment.iter().map(|line| line.trim_start_matches("///").trim());
            let paragraph: Vec<&str> = paragraph.take_while(|line| !line.is_empty()).collect();
            (!paragraph.is_empty()).then(|| paragraph.join(" "))
        })
    }

    /// `docs/opcodes.md`, from the table and the comments on its functions.
    fn page() -> String {
        let mut page = String::from(
            "# Opcodes\n\n\
             What the machine itself carries out; every other byte of code calls the Lisp function that the image's UFN \
             table has for it, and so do these where they say so. Made from the ISA table, `vm/src/isa.rs`, and the \
             comments on its functions, by `UPDATE_DOCS=1 cargo test -p vm page_of_opcodes`.\n\n\
             Numbers are octal. *Stack* is cells taken and left; a dot where that depends on operands or on what is \
             called. *Bytes* is the length of the instruction, in Medley 3.5 behind the stroke where it differs. What \
             an opcode finds *on top* is its last operand, *below* the one before.\n\n\
             | | opcode | operands | bytes | stack | does | in |\n|---|---|---|---|---|---|---|\n",
        );
        for (row, path) in OPCODES.iter().zip(PATHS) {
            let (module, function) = source(path);
            let does = comment(&module, &function).unwrap_or_else(|| panic!("{path} has a comment"));
            // What a comment begins with is the name of its opcodes.
            let does = does.split_once(": ").map_or(&*does, |(_, rest)| rest).replace('|', "\\|");
            let operands: Vec<String> = row.operands.iter().map(|it| format!("{it:?}").to_lowercase()).collect();
            let (old, new) = (row.length::<Medley2>(), row.length::<Medley35>());
            let bytes = if old == new { format!("{old}") } else { format!("{old} / {new}") };
            let cells = |count: Option<u8>| count.map_or(String::from("."), |count| format!("{count}"));
            writeln!(
                page,
                "| {:03o} | {} | {} | {bytes} | {} → {} | {does} | {module} |",
                row.number,
                row.name,
                operands.join(", "),
                cells(row.pops),
                cells(row.pushes),
            )
            .unwrap();
        }
        page
    }

    #[test]
    fn the_page_of_opcodes_is_current() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/opcodes.md");
        let page = page();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&file, &page).unwrap();
        }
        let current = fs::read_to_string(&file).unwrap_or_default();
        assert!(current == page, "docs/opcodes.md is not current: UPDATE_DOCS=1 cargo test -p vm page_of_opcodes");
    }

    /// The reference has machine code for these numbers and for no others, but for DOVEMISC and RECLAIMCELL: those are
    /// here for their lengths, and do nothing but call their UFNs.
    #[test]
    fn the_reference_has_the_same_opcodes() {
        let absent = [
            0o000..=0o000,
            0o041..=0o042,
            0o045..=0o045,
            0o050..=0o053,
            0o060..=0o061,
            0o064..=0o067,
            0o076..=0o077,
            0o160..=0o165,
            0o170..=0o171,
            0o177..=0o177,
            0o305..=0o306,
            0o313..=0o313,
            0o337..=0o337,
            0o370..=0o371,
            0o374..=0o374,
        ];
        for number in 0..=0xFFu8 {
            let expected = !absent.iter().any(|range| range.contains(&number));
            assert_eq!(opcode(number).is_some(), expected, "{number:03o}");
        }
    }
}
