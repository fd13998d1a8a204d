using System.Collections.Immutable;
using Bff.Audit;

namespace Bff.Callers.Revoked;

/// <summary>Keeps revocations in the memory of a single instance. They are lost when it stops.</summary>
internal sealed class EmbeddedRevocationStore(TimeProvider time, IAuditLog? log = null) : IRevocationStore
{
    private readonly Lock _lock = new();
    private ImmutableArray<Action<Revocation?>> _subscribers = [];
    private List<Revocation> _all = [];

    public bool IsAvailable => true;

    public Task Add(Revocation revocation, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var known = _all.Find(r => r.ToMember() == revocation.ToMember());
            _all = [.. _all.Where(r => r.Until > now && r != known), known?.Until > revocation.Until ? known : revocation];
            foreach (var subscriber in _subscribers)
            {
                subscriber(revocation);
            }
        }

        return log.Note(audit, cancellation);
    }

    public Task<IReadOnlyList<Revocation>> All(CancellationToken cancellation)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            return Task.FromResult<IReadOnlyList<Revocation>>([.. _all.Where(r => r.Until > now)]);
        }
    }

    public IDisposable Subscribe(Action<Revocation?> added)
    {
        lock (_lock)
        {
            _subscribers = _subscribers.Add(added);
        }

        return new Subscription(() =>
        {
            lock (_lock)
            {
                _subscribers = _subscribers.Remove(added);
            }
        });
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
