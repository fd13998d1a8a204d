using System.Reflection;

namespace Bff.UpstreamContracts.Declared;

/// <summary>Finds the methods that a method of a host calls, directly or through other methods of the host.</summary>
internal sealed class Reach(Assembly host)
{
    private const BindingFlags Every =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private readonly Dictionary<MethodBase, IReadOnlyList<Instruction>> _bodies = [];
    private readonly Type[] _types = host.GetTypes();

    /// <summary>Returns the instructions of a method, which are read once.</summary>
    public IReadOnlyList<Instruction> Body(MethodBase method)
    {
        if (!_bodies.TryGetValue(method, out var body))
        {
            _bodies[method] = body = [.. Instruction.Of(method)];
        }

        return body;
    }

    /// <summary>Every method of the host that has a body.</summary>
    public IEnumerable<MethodBase> Methods =>
        _types.SelectMany(t => t.GetMethods(Every).Cast<MethodBase>().Concat(t.GetConstructors(Every)));

    /// <summary>Returns the methods of the host that are reached, callers first, including the first methods themselves.</summary>
    public IReadOnlyList<MethodBase> From(IEnumerable<MethodBase> beginning)
    {
        var found = new List<MethodBase>();
        var seen = new HashSet<MethodBase>();
        var open = new Queue<MethodBase>(beginning.Select(Definition));
        while (open.TryDequeue(out var method))
        {
            if (method.Module.Assembly != host || !seen.Add(method))
            {
                continue;
            }

            found.Add(method);
            foreach (var next in Body(method).Select(i => i.Operand).OfType<MethodBase>().SelectMany(Meant))
            {
                open.Enqueue(next);
            }
        }

        return found;
    }

    /// <summary>Returns what runs when code names a method: itself, its implementations, and the steps of its state machine.</summary>
    private IEnumerable<MethodBase> Meant(MethodBase named)
    {
        var method = Definition(named);
        yield return method;
        foreach (var machine in Machines(named))
        {
            yield return machine.GetMethod("MoveNext", Every)!;
        }

        if (method is { IsAbstract: true, DeclaringType: { } type } && type.Assembly == host)
        {
            foreach (var implementation in _types.Where(t => t is { IsAbstract: false } && type.IsAssignableFrom(t)))
            {
                if (Implementation(implementation, type, (MethodInfo)method) is { } body)
                {
                    yield return body;
                }
            }
        }
    }

    // An async method passes its state machine to Start<T>(); an iterator creates one.
    private IEnumerable<Type> Machines(MethodBase named)
    {
        var types = (named.IsGenericMethod ? named.GetGenericArguments() : []).Append(
            named.IsConstructor ? named.DeclaringType! : typeof(void)
        );
        return types
            .Where(t => t.Assembly == host && t.Name.Contains(">d", StringComparison.Ordinal) && t.GetMethod("MoveNext", Every) is not null)
            .Select(t => t.IsGenericType ? t.GetGenericTypeDefinition() : t);
    }

    private static MethodInfo? Implementation(Type implementation, Type declared, MethodInfo method)
    {
        if (!declared.IsInterface)
        {
            return implementation.GetMethods(Every).FirstOrDefault(m => m.GetBaseDefinition() == method.GetBaseDefinition());
        }

        if (implementation.IsGenericTypeDefinition || declared.IsGenericTypeDefinition)
        {
            return null;
        }

        var map = implementation.GetInterfaceMap(declared);
        var at = Array.IndexOf(map.InterfaceMethods, method);
        return at < 0 ? null : map.TargetMethods[at];
    }

    private static MethodBase Definition(MethodBase method)
    {
        if (method is MethodInfo { IsGenericMethod: true, IsGenericMethodDefinition: false } generic)
        {
            method = generic.GetGenericMethodDefinition();
        }

        return method.DeclaringType is { IsGenericType: true, IsGenericTypeDefinition: false } type
            ? type.GetGenericTypeDefinition().GetMembers(Every).OfType<MethodBase>().First(m => m.MetadataToken == method.MetadataToken)
            : method;
    }
}
