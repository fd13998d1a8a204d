namespace Bff.TestKit;

/// <summary>What happens to a Redis server while a store uses it.</summary>
public enum RedisTrouble
{
    /// <summary>It keeps its connections and answers nothing.</summary>
    Frozen,

    /// <summary>It is gone, and comes back later with its data.</summary>
    Killed,

    /// <summary>It is gone and back at once.</summary>
    Restarted,

    /// <summary>Every answer takes a while, but less than <c>State:Timeout</c>.</summary>
    Slow,

    /// <summary>Its replica takes over behind the same name.</summary>
    Moved,

    /// <summary>Its memory is full: it refuses every write.</summary>
    Full,
}
