using System.Reflection;
using Bff.State;

namespace Bff.Shared.Tests.Models;

/// <summary>A store proxy that injects faults and that a crashed instance can no longer reach.</summary>
public class FaultyStore<TStore> : DispatchProxy
    where TStore : class
{
    private TStore? _store;
    private FaultPlan? _faults;

    private bool IsDead { get; set; }

    internal static TStore Of(TStore store, FaultPlan? faults)
    {
        var proxy = Create<TStore, FaultyStore<TStore>>();
        var faulty = (FaultyStore<TStore>)(object)proxy;
        (faulty._store, faulty._faults) = (store, faults);
        return proxy;
    }

    /// <summary>Stops every further call of the crashed owner.</summary>
    internal static void Kill(TStore proxy) => ((FaultyStore<TStore>)(object)proxy).IsDead = true;

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var isCall =
            typeof(Task).IsAssignableFrom(targetMethod!.ReturnType)
            || targetMethod.ReturnType.Name.StartsWith("ValueTask", StringComparison.Ordinal);
        var fault = isCall ? _faults?.Take() : null;
        if ((isCall && IsDead) || fault is Fault.Refused or Fault.Lost)
        {
            throw new StoreUnavailableException();
        }

        var answer = targetMethod.Invoke(_store, BindingFlags.DoNotWrapExceptions, null, args, null);
        return fault is null ? answer : throw new StoreUnavailableException(); // An embedded store has executed the call by now.
    }
}
