using System.Reflection;
using System.Reflection.Emit;

namespace Bff.UpstreamContracts.Declared;

/// <summary>An instruction of a method's body, with the method or text that it names (ECMA-335, partition III).</summary>
/// <param name="Code">The operation.</param>
/// <param name="Operand">A <see cref="MethodBase"/>, a <see cref="string"/>, or null.</param>
internal readonly record struct Instruction(OpCode Code, object? Operand)
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(c => c.Value);

    /// <summary>Whether the instruction makes a delegate of a method.</summary>
    public bool TakesMethod => Code == OpCodes.Ldftn || Code == OpCodes.Ldvirtftn;

    /// <summary>Whether the instruction makes a call.</summary>
    public bool Calls => Code == OpCodes.Call || Code == OpCodes.Callvirt;

    /// <summary>Returns the instructions of a method in their order; none for a method without a body.</summary>
    public static IEnumerable<Instruction> Of(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } body)
        {
            yield break;
        }

        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < body.Length; )
        {
            var code = body[at] == 0xFE ? Codes[(short)(0xFE00 | body[at + 1])] : Codes[body[at]];
            at += code.Size;
            object? operand = null;
            switch (code.OperandType)
            {
                case OperandType.InlineMethod or OperandType.InlineTok:
                    operand = Member(method.Module, BitConverter.ToInt32(body, at), typeArguments, methodArguments) as MethodBase;
                    break;
                case OperandType.InlineString:
                    operand = method.Module.ResolveString(BitConverter.ToInt32(body, at));
                    break;
            }

            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(body, at),
                _ => 4,
            };
            yield return new(code, operand);
        }
    }

    private static MemberInfo? Member(Module module, int token, Type[]? typeArguments, Type[]? methodArguments)
    {
        try
        {
            return module.ResolveMember(token, typeArguments, methodArguments);
        }
        catch (ArgumentException)
        {
            return null; // The token is of a kind that names no member, such as an array's own method.
        }
    }
}
