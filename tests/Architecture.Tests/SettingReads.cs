using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Bff.Configuration;

namespace Architecture.Tests;

/// <summary>
/// Finds what compiled code reads of settings: the getters it calls, and the texts it names keys with. Members that the compiler adds to a
/// record (equality, printing) belong to its declaration and are not readers.
/// </summary>
internal sealed class SettingReads
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes)
        .GetFields()
        .Select(f => f.GetValue(null))
        .OfType<OpCode>()
        .ToDictionary(c => (int)(ushort)c.Value);

    private readonly HashSet<(Type, string)> _getters = [];
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    private SettingReads(IEnumerable<Type> types)
    {
        foreach (var type in types)
        {
            foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
            {
                Scan(type, method);
            }
        }
    }

    public static SettingReads Of(IEnumerable<Type> code) => new(code);

    /// <summary>
    /// Whether a setting is read: by its getter if configuration sets it, and also by its name if its section reads it by hand.
    /// </summary>
    public bool Has(Setting setting) =>
        _getters.Contains((setting.Member.DeclaringType!, setting.Member.GetMethod!.Name))
        || (setting.Declared.Range is not null && setting.Key.Split(':').Where(k => k[0] != '<').All(_names.Contains));

    private void Scan(Type type, MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
        {
            return;
        }

        var isDeclaration = method.IsDefined(typeof(CompilerGeneratedAttribute));
        for (var at = 0; at < code.Length; )
        {
            var op = code[at] == 0xFE ? Codes[0xFE00 | code[at + 1]] : Codes[code[at]];
            at += op.Size;
            if (op.OperandType == OperandType.InlineString)
            {
                _names.UnionWith(method.Module.ResolveString(BitConverter.ToInt32(code, at)).Split(':'));
            }
            else if (op.OperandType == OperandType.InlineMethod)
            {
                var called = method.Module.ResolveMethod(
                    BitConverter.ToInt32(code, at),
                    type.GetGenericArguments(),
                    method is MethodInfo { IsGenericMethod: true } ? method.GetGenericArguments() : null
                );
                if (called is { IsSpecialName: true, DeclaringType: { } owner } && !(isDeclaration && owner == type))
                {
                    _getters.Add((owner, called.Name));
                }
            }

            at += Size(op.OperandType, code, at);
        }
    }

    private static int Size(OperandType operand, byte[] code, int at) =>
        operand switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
            _ => 4,
        };
}
