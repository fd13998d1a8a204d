namespace Bff.EndToEnd.Tests.IdentityProvider;

/// <summary>A clock that stands still at the start of its test and moves when told to.</summary>
internal sealed class Clock : TimeProvider
{
    private long moved;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref moved));

    public void Advance(TimeSpan by) => Interlocked.Add(ref moved, by.Ticks);
}
