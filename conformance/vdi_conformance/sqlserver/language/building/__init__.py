"""What the parser has found is put together: one method for each rule of tsql.lark, in classes by subject."""
